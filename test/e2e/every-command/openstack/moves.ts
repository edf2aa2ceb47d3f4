import type { Row } from "../row.js";

const moving = { because: "servers do not move between hosts yet", later: true } as const;
const NOT_SERVED = /501/;

/** What moves servers to other hosts or flavors, and looks at the moves. */
export const moves: readonly Row[] = [
  { command: "server resize", args: ["--flavor=m1.tiny", "{server}"], refused: NOT_SERVED, ...moving },
  { command: "server resize", args: ["--confirm", "{server}"], refused: NOT_SERVED, ...moving },
  { command: "server resize", args: ["--revert", "{server}"], refused: NOT_SERVED, ...moving },
  { command: "server resize confirm", args: ["{server}"], refused: NOT_SERVED, ...moving },
  { command: "server resize revert", args: ["{server}"], refused: NOT_SERVED, ...moving },
  { command: "server migrate", args: ["{server}"], by: "admin", at: "2.1", refused: NOT_SERVED, ...moving },
  {
    command: "server migrate",
    args: ["--host={host}", "{server}"],
    by: "admin",
    refused: NOT_SERVED,
    ...moving,
  },
  {
    command: "server migrate",
    args: ["--live-migration", "{server}"],
    by: "admin",
    refused: NOT_SERVED,
    ...moving,
  },
  { command: "server migrate confirm", args: ["{server}"], by: "admin", refused: NOT_SERVED, ...moving },
  { command: "server migrate revert", args: ["{server}"], by: "admin", refused: NOT_SERVED, ...moving },
  { command: "server migration confirm", args: ["{server}"], by: "admin", refused: NOT_SERVED, ...moving },
  { command: "server migration revert", args: ["{server}"], by: "admin", refused: NOT_SERVED, ...moving },
  { command: "server migration abort", args: ["{server}", "1"], by: "admin", refused: NOT_SERVED, ...moving },
  {
    command: "server migration force complete",
    args: ["{server}", "1"],
    by: "admin",
    refused: NOT_SERVED,
    ...moving,
  },
  { command: "server evacuate", args: ["{server}"], by: "admin", refused: NOT_SERVED, ...moving },
  { command: "server migration list", args: [], by: "admin", at: "2.1", from: "NONE", prints: /^$|Status/ },
  {
    command: "server migration list",
    args: ["--server={server}", "--host={host}", "--status=done", "--type=cold-migration", "--limit=2"],
    by: "admin",
    prints: /^$/,
  },
  {
    command: "server migration show",
    args: ["{server}", "1"],
    by: "admin",
    refused: /Migration 1 for server .* is not in-progress|could not be found|HTTP 404/,
    because: "the server has none",
  },
];
