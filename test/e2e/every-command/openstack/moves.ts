import assert from "node:assert/strict";
import type { Row } from "../row.js";

const moving = { because: "running guests do not move yet", later: true } as const;
const NOT_SERVED = /501/;
const TINY = { status: "VERIFY_RESIZE", flavor: { original_name: "m1.tiny" } };
const NANO = { status: "ACTIVE", flavor: { original_name: "m1.nano" } };
/** The way to this state keeps the flavor. */
const WAITING = "VERIFY_RESIZE";
/** The client has newer commands for the same. */
const DEPRECATED = { warns: /has been deprecated/ };

/** What moves servers to other hosts or flavors, and looks at the moves. */
export const moves: readonly Row[] = [
  { command: "server resize", args: ["--flavor=m1.tiny", "{server}"], becomes: TINY },
  { command: "server resize", args: ["--flavor=m1.tiny", "{server}"], at: "2.1", becomes: TINY },
  {
    command: "server resize",
    args: ["--flavor=m1.tiny", "--wait", "{server}"],
    from: "SHUTOFF",
    prints: /Complete/,
    becomes: { ...TINY, "OS-EXT-STS:power_state": 4 },
  },
  {
    command: "server resize",
    args: ["--flavor=m1.nano", "{server}"],
    refused: /When resizing, instances must change flavor! \(HTTP 400\)/,
    because: "it has this flavor",
  },
  {
    command: "server resize",
    args: ["--flavor=m1.tiny", "{server}"],
    from: "PAUSED",
    refused: /Cannot 'resize' instance .* while it is in vm_state paused \(HTTP 409\)/,
    because: "a paused guest cannot be asked to shut down",
  },
  { command: "server resize", args: ["--confirm", "{server}"], from: WAITING, ...DEPRECATED, becomes: NANO },
  { command: "server resize", args: ["--revert", "{server}"], from: WAITING, ...DEPRECATED, becomes: NANO },
  { command: "server resize confirm", args: ["{server}"], from: WAITING, becomes: NANO },
  { command: "server resize revert", args: ["{server}"], from: WAITING, becomes: NANO },
  {
    command: "server resize confirm",
    args: ["{server}"],
    refused: /Cannot 'confirmResize' instance .* while it is in vm_state active \(HTTP 409\)/,
    because: "it was not resized",
  },
  {
    command: "server migrate",
    args: ["{server}"],
    by: "admin",
    at: "2.1",
    becomes: { ...NANO, status: WAITING },
  },
  {
    command: "server migrate",
    args: ["--host={elsewhere}", "{server}"],
    by: "admin",
    becomes: { ...NANO, status: WAITING },
    holds: async (scene) => {
      const server = await scene.server();
      assert.equal(server?.["OS-EXT-SRV-ATTR:host"], await scene.value("elsewhere"));
    },
  },
  {
    command: "server migrate",
    args: ["--host=nowhere", "{server}"],
    by: "admin",
    refused: /Compute host nowhere could not be found. \(HTTP 400\)/,
    because: "there is no such host",
  },
  {
    command: "server migrate",
    args: ["{server}"],
    refused: /HTTP 403/,
    because: "users do not choose when their servers move",
  },
  {
    command: "server migrate",
    args: ["--live-migration", "{server}"],
    by: "admin",
    refused: NOT_SERVED,
    ...moving,
  },
  {
    command: "server migrate confirm",
    args: ["{server}"],
    by: "admin",
    from: WAITING,
    ...DEPRECATED,
    becomes: NANO,
  },
  {
    command: "server migrate revert",
    args: ["{server}"],
    by: "admin",
    from: WAITING,
    ...DEPRECATED,
    becomes: NANO,
  },
  { command: "server migration confirm", args: ["{server}"], by: "admin", from: WAITING, becomes: NANO },
  { command: "server migration revert", args: ["{server}"], by: "admin", from: WAITING, becomes: NANO },
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
    args: ["--server={server}", "--status=finished", "--type=cold-migration"],
    by: "admin",
    from: WAITING,
    json: { Status: "finished", Type: "migration" },
  },
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
