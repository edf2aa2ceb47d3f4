import { randomUUID } from "node:crypto";
import type { Ids } from "../../kernel/ids.js";

/** Random UUIDs of the system's generator. */
export const systemIds: Ids = { uuid: () => randomUUID() };
