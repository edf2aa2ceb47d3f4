import { plain } from "../host/command.js";
import type { Isolation } from "../host/isolation.js";

/** For tests that look at what is run, not at how: tools run as the test itself. */
export const noIsolation: Pick<Isolation, "tool" | "uids"> = { uids: undefined, tool: () => plain };
