import type { Timestamp } from "../../../gen/google/protobuf/timestamp.js";
import type { Instant } from "../../kernel/index.js";
import { isoMicros, isoSeconds } from "../../kernel/index.js";

export const toInstant = (at: Timestamp): Instant =>
  at.seconds * 1_000_000n + BigInt(Math.trunc(at.nanos / 1000));
export const toTimestamp = (at: Instant): Timestamp => {
  const micros = ((at % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { seconds: (at - micros) / 1_000_000n, nanos: Number(micros) * 1000 };
};

/** `YYYY-MM-DDTHH:MM:SSZ`: the form of servers' created and updated. */
export const shortTime = (at: Timestamp | undefined): string | null =>
  at ? isoSeconds(toInstant(at)) : null;
/** `YYYY-MM-DDTHH:MM:SS.ffffff` without zone: the form of everything else. */
export const longTime = (at: Timestamp | undefined): string | null => (at ? isoMicros(toInstant(at)) : null);
