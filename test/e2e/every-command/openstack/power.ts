import assert from "node:assert/strict";
import type { Row } from "../row.js";

/** What changes how a server runs, where it is. */
export const power: readonly Row[] = [
  { command: "server stop", args: ["{server}"], becomes: { status: "SHUTOFF", "OS-EXT-STS:power_state": 4 } },
  { command: "server stop", args: ["{name}", "{other}"], at: "2.1", becomes: { status: "SHUTOFF" } },
  { command: "server stop", args: ["--all-projects", "{name}"], by: "admin", becomes: { status: "SHUTOFF" } },
  {
    command: "server stop",
    args: ["{server}"],
    from: "SHUTOFF",
    refused: /Cannot 'stop' instance .* while it is in vm_state stopped \(HTTP 409\)/,
    because: "it has stopped already",
  },
  { command: "server start", args: ["{server}"], from: "SHUTOFF", becomes: { status: "ACTIVE" } },
  {
    command: "server start",
    args: ["--all-projects", "{name}"],
    by: "admin",
    from: "SHUTOFF",
    becomes: { status: "ACTIVE" },
  },
  {
    command: "server reboot",
    args: ["--soft", "--wait", "{server}"],
    prints: /Complete/,
    becomes: { status: "ACTIVE" },
  },
  { command: "server reboot", args: ["--hard", "{server}"], from: "SHUTOFF", becomes: { status: "ACTIVE" } },
  {
    command: "server reboot",
    args: ["--soft", "{server}"],
    from: "SHUTOFF",
    refused: /Cannot 'reboot' instance .* while it is in vm_state stopped \(HTTP 409\)/,
    because: "a guest that is off cannot be asked to",
  },
  { command: "server pause", args: ["{server}"], becomes: { status: "PAUSED", "OS-EXT-STS:power_state": 3 } },
  { command: "server unpause", args: ["{server}"], from: "PAUSED", becomes: { status: "ACTIVE" } },
  {
    command: "server unpause",
    args: ["{server}"],
    refused: /Cannot 'unpause' instance .* while it is in vm_state active/,
    because: "it is not paused",
  },
  { command: "server suspend", args: ["{server}"], becomes: { status: "SUSPENDED" } },
  { command: "server resume", args: ["{server}"], from: "SUSPENDED", becomes: { status: "ACTIVE" } },
  { command: "server rescue", args: ["{server}"], becomes: { status: "RESCUE" } },
  {
    command: "server rescue",
    args: ["--image={image}", "--password=open-sesame", "{server}"],
    at: "2.1",
    becomes: { status: "RESCUE" },
  },
  { command: "server unrescue", args: ["{server}"], from: "RESCUE", becomes: { status: "ACTIVE" } },
  { command: "server shelve", args: ["--wait", "{server}"], becomes: { status: "SHELVED" } },
  {
    command: "server shelve",
    args: ["--offload", "{server}"],
    by: "admin",
    becomes: { status: "SHELVED_OFFLOADED" },
  },
  {
    command: "server unshelve",
    args: ["--wait", "{server}"],
    from: "SHELVED",
    becomes: { status: "ACTIVE" },
  },
  {
    command: "server unshelve",
    args: ["--availability-zone=nova", "{server}"],
    from: "SHELVED",
    refused: /The server status must be SHELVED_OFFLOADED/,
    because: "only a server that has left its host is told where to go",
  },
  {
    command: "server lock",
    args: ["--reason=why", "{server}"],
    becomes: { locked: true, locked_reason: "why" },
  },
  { command: "server lock", args: ["{server}"], at: "2.1", becomes: { locked: true, locked_reason: null } },
  { command: "server unlock", args: ["{server}"], from: "LOCKED", becomes: { locked: false } },
  {
    command: "server dump create",
    args: ["{server}"],
    by: "admin",
    becomes: { status: "ACTIVE" },
    holds: async (scene) => {
      const { instanceActions } = await scene.read(`/servers/${await scene.serverId}/os-instance-actions`);
      assert.equal((instanceActions as { action: string }[])[0]?.action, "trigger_crash_dump");
    },
  },
  { command: "console log show", args: ["--lines=5", "{server}"], prints: /\S/ },
  {
    command: "console url show",
    args: ["--novnc", "{server}"],
    json: { type: "novnc", url: /^http.*token/ },
  },
  {
    command: "console url show",
    args: ["--serial", "{server}"],
    json: { type: "serial", url: /^ws.*token/ },
  },
  ...["--spice", "--rdp", "--mks", "--xvpvnc"].map((type): Row => ({
    command: "console url show",
    args: [type, "{server}"],
    refused: /HTTP 400|400: Client Error/,
    because: "there are no such consoles here; a Nova without them refuses so, too",
  })),
  {
    command: "server ssh",
    args: ["--address-type=private", "{server}", "--", "-l", "root", "-p", "22"],
    prints: /ssh was called with: (?=.*-l root)(?=.*-p 22).*\d+\.\d+\.\d+\.\d+/,
  },
];
