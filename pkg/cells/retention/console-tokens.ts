import { forgetConsoleTokens } from "../consoles/store/console-tokens.js";
import type { Sweep } from "./sweep.js";

/** Addresses of consoles. */
export const consoleTokens: Sweep = {
  name: "console-tokens",
  does: "tokens of consoles that are not good any more",
  in: "global",
  keepMs: () => 0,
  run: (ctx, { store, before, limit }) => forgetConsoleTokens(store, ctx, before, limit),
};
