import type { Timestamp } from "../../../gen/google/protobuf/timestamp.js";
import { isoMicros, isoSeconds } from "../../kernel/index.js";
import { fromTimestamp } from "../../model/wire-time.js";

/** `YYYY-MM-DDTHH:MM:SSZ`: the form of servers' created and updated. */
export const shortTime = (at: Timestamp | undefined): string | null =>
  at ? isoSeconds(fromTimestamp(at)) : null;
/** `YYYY-MM-DDTHH:MM:SS.ffffff` without zone: the form of everything else. */
export const longTime = (at: Timestamp | undefined): string | null =>
  at ? isoMicros(fromTimestamp(at)) : null;
