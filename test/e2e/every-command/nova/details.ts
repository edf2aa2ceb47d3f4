import assert from "node:assert/strict";
import type { Row } from "../row.js";

/** What is said of servers, what they have, and what belongs to users. */
export const novaDetails: readonly Row[] = [
  { command: "list", args: ["--name", "^{name}$"], prints: /row\d+ *\| ACTIVE.*private=/ },
  {
    command: "list",
    args: ["--minimal", "--sort", "display_name:asc", "--limit", "-1", "--name", "^{name}$"],
    prints: /row\d+/,
  },
  {
    command: "list",
    args: ["--fields", "name,status,flavor", "--name", "^{name}$"],
    at: "2.1",
    prints: /ACTIVE/,
  },
  {
    command: "list",
    args: ["--all-tenants", "--host", "{host}", "--limit", "1"],
    by: "admin",
    prints: /Tenant ID/,
  },
  {
    command: "list",
    args: [
      "--status",
      "ACTIVE",
      "--flavor",
      "{flavor}",
      "--image",
      "{image}",
      "--ip",
      "{address}",
      "--locked",
      "False",
    ],
    prints: /row\d+/,
  },
  {
    command: "list",
    args: ["--tags", "red", "--not-tags-any", "green", "--name", "^{name}$"],
    given: ["tagged"],
    prints: /row\d+/,
  },
  {
    command: "list",
    args: [
      "--changes-since",
      "2020-01-01T00:00:00Z",
      "--changes-before",
      "2100-01-01T00:00:00Z",
      "--name",
      "^{name}$",
    ],
    prints: /row\d+/,
  },
  { command: "show", args: ["{server}"], prints: /status *\| ACTIVE/ },
  { command: "show", args: ["--minimal", "{name}"], at: "2.1", prints: /status *\| ACTIVE/ },
  {
    command: "update",
    args: ["--name", "{name}-new", "--description", "words", "--hostname", "renamed", "{server}"],
    becomes: { name: /-new$/, description: "words", "OS-EXT-SRV-ATTR:hostname": "renamed" },
  },
  { command: "meta", args: ["{server}", "set", "colour=blue"], becomes: { metadata: { colour: "blue" } } },
  {
    command: "meta",
    args: ["{meta}", "delete", "colour"],
    becomes: { metadata: { colour: undefined, size: "small" } },
  },
  { command: "server-tag-add", args: ["{server}", "red", "blue"], becomes: { tags: ["blue", "red"] } },
  { command: "server-tag-set", args: ["{tagged}", "green"], becomes: { tags: ["green"] } },
  { command: "server-tag-list", args: ["{tagged}"], prints: /red/ },
  { command: "server-tag-delete", args: ["{tagged}", "red"], becomes: { tags: ["blue"] } },
  { command: "server-tag-delete-all", args: ["{tagged}"], becomes: { tags: [] } },
  {
    command: "set-password",
    args: ["{server}"],
    typed: "open-sesame\nopen-sesame\n",
    refused: /QEMU guest agent is not enabled/,
    because: "the image does not ask for an agent; test/e2e/server-actions.test.ts sets one inside a guest",
  },
  { command: "get-password", args: ["{server}"], prints: /^\s*$/ },
  {
    command: "clear-password",
    args: ["{server}"],
    holds: async (scene) =>
      assert.deepEqual(await scene.read(`/servers/${await scene.serverId}/os-server-password`), {
        password: "",
      }),
  },
  { command: "console-log", args: ["--length", "5", "{server}"], prints: /\S/ },
  { command: "get-vnc-console", args: ["{server}", "novnc"], prints: /novnc *\| http.*token/ },
  { command: "get-vnc-console", args: ["{server}", "novnc"], at: "2.1", prints: /novnc *\| http.*token/ },
  { command: "get-serial-console", args: ["{server}"], prints: /serial *\| ws.*token/ },
  ...(["get-spice-console spice-html5", "get-rdp-console rdp-html5", "get-mks-console"] as const).map(
    (words): Row => {
      const [command = "", ...type] = words.split(" ");
      return {
        command,
        args: ["{server}", ...type],
        refused: /HTTP 400/,
        because: "there are no such consoles here; a Nova without them refuses so, too",
      };
    },
  ),
  { command: "diagnostics", args: ["{server}"], by: "admin", prints: /state *\| running/ },
  { command: "server-topology", args: ["{server}"], by: "admin", prints: /nodes/ },
  { command: "instance-action-list", args: ["--limit", "1", "{server}"], prints: /create/ },
  {
    command: "instance-action",
    args: ["{server}", "{request}"],
    prints: /compute__do_build_and_run_instance/,
  },
  {
    command: "server-group-create",
    args: ["--rule", "max_server_per_host=2", "{name}-made", "anti-affinity"],
    from: "NONE",
    prints: /anti-affinity/,
  },
  { command: "server-group-list", args: ["--limit", "5", "--offset", "0"], from: "NONE", prints: /Policy/ },
  { command: "server-group-list", args: ["--all-projects"], by: "admin", from: "NONE", prints: /Policy/ },
  { command: "server-group-get", args: ["{servergroup}"], from: "NONE", prints: /soft-anti-affinity/ },
  { command: "server-group-delete", args: ["{servergroup}"], from: "NONE", prints: /successfully deleted/ },
  {
    command: "keypair-add",
    args: ["--pub-key", "{directory}/key.pub", "{name}-made"],
    from: "NONE",
    holds: async (scene) =>
      assert.match(
        JSON.stringify(await scene.read(`/os-keypairs?user_id=${await scene.value("user")}`)),
        new RegExp(`${scene.name}-made`),
      ),
  },
  { command: "keypair-add", args: ["{name}-made"], at: "2.1", from: "NONE", prints: /PRIVATE KEY/ },
  { command: "keypair-list", args: ["--limit", "1000"], from: "NONE", prints: /Fingerprint/ },
  { command: "keypair-show", args: ["{keypair}"], from: "NONE", prints: /ssh-ed25519/ },
  {
    command: "keypair-delete",
    args: ["{keypair}"],
    from: "NONE",
    holds: async (scene) =>
      assert.doesNotMatch(
        JSON.stringify(await scene.read(`/os-keypairs?user_id=${await scene.value("user")}`)),
        new RegExp(`${scene.name}-key`),
      ),
  },
  { command: "limits", args: [], from: "NONE", prints: /Instances/ },
  {
    command: "limits",
    args: ["--reserved"],
    from: "NONE",
    refused: /Additional properties are not allowed \('reserved' was unexpected\)/,
    because: "Nova's schema of 2.75 has no such parameter",
  },
  { command: "availability-zone-list", args: [], from: "NONE", prints: /nova *\| available/ },
  { command: "version-list", args: [], from: "NONE", prints: /v2\.1 *\| CURRENT/ },
  { command: "help", args: ["boot"], from: "NONE", prints: /usage: nova boot/ },
  { command: "bash-completion", args: [], from: "NONE", prints: /instance-action-list/ },
  {
    command: "ssh",
    args: [
      "--address-type",
      "fixed",
      "--network",
      "private",
      "--login",
      "root",
      "--port",
      "2222",
      "{server}",
    ],
    prints: /ssh was called with: (?=.*-p2222)(?=.*root@)/,
  },
  {
    command: "flavor-list",
    args: ["--extra-specs", "--sort-key", "name", "--sort-dir", "desc", "--limit", "3"],
    from: "NONE",
    prints: /extra_specs[^]*row\d+-|m1\./,
  },
  { command: "flavor-show", args: ["m1.nano"], from: "NONE", prints: /name *\| m1.nano/ },
];
