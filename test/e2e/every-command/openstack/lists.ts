import assert from "node:assert/strict";
import type { Row } from "../row.js";

const mine = { Name: /^row\d+$/, Status: "ACTIVE" };

/** Lists of servers with each filter, and groups of servers. */
export const lists: readonly Row[] = [
  {
    command: "server list",
    args: ["--name=^{name}$"],
    at: "2.1",
    json: { ...mine, Image: "kilonova-blank", Flavor: "m1.nano", Networks: { private: [/./] } },
  },
  {
    command: "server list",
    args: ["--name=^{name}$", "--long"],
    at: "2.1",
    json: { ...mine, Properties: {} },
  },
  {
    command: "server list",
    args: ["--name=^{name}$", "--all-projects", "--long"],
    by: "admin",
    json: { ...mine, Host: /./, "Power State": 1 },
  },
  { command: "server list", args: ["--name=^{name}$", "-n"], json: mine },
  {
    command: "server list",
    args: ["--name=^{name}$", "--name-lookup-one-by-one"],
    json: { ...mine, Image: "kilonova-blank" },
  },
  { command: "server list", args: ["--ip={address}"], json: mine },
  {
    command: "server list",
    args: ["--status=ACTIVE", "--flavor=m1.nano", "--image={image}", "--name=^{name}$"],
    json: mine,
  },
  {
    command: "server list",
    args: ["--all-projects", "--vm-state=active", "--power-state=running", "--name=^{name}$"],
    by: "admin",
    json: mine,
  },
  {
    command: "server list",
    args: ["--host={host}", "--all-projects", "--limit=1"],
    by: "admin",
    prints: /ID/,
  },
  { command: "server list", args: ["--project=demo", "--name=^{name}$"], by: "admin", json: mine },
  {
    command: "server list",
    args: ["--user=demo", "--all-projects", "--name=^{name}$"],
    by: "admin",
    json: mine,
  },
  {
    command: "server list",
    args: ["--availability-zone=nova", "--name=^{name}$", "--no-config-drive"],
    json: mine,
  },
  { command: "server list", args: ["--key-name=none", "--name=^{name}$"], prints: /^$/ },
  {
    command: "server list",
    args: ["--tags=red,blue", "--not-tags=green", "--name=^{name}$"],
    given: ["tagged"],
    json: mine,
  },
  { command: "server list", args: ["--unlocked", "--name=^{name}$"], json: mine },
  { command: "server list", args: ["--locked"], from: "LOCKED", json: { Name: /^row\d+$/ } },
  {
    command: "server list",
    args: [
      "--changes-since=2020-01-01T00:00:00Z",
      "--changes-before=2100-01-01T00:00:00Z",
      "--name=^{name}$",
    ],
    json: mine,
  },
  {
    command: "server list",
    args: ["--sort-column=Name", "--limit=-1", "--name=^{name}$"],
    at: "2.1",
    json: mine,
  },
  {
    command: "server list",
    args: ["--deleted", "--all-projects"],
    by: "admin",
    from: "SOFT_DELETED",
    json: { Status: "SOFT_DELETED" },
  },
  { command: "server list", args: ["--marker={server}", "--limit=1"], prints: /^$|ID/ },
  {
    command: "server group create",
    args: ["--policy=anti-affinity", "--rule=max_server_per_host=2", "{name}-made"],
    from: "NONE",
    json: { policy: "anti-affinity", rules: /2/ },
  },
  {
    command: "server group create",
    args: ["--policy=affinity", "{name}-made"],
    at: "2.1",
    from: "NONE",
    json: { name: /-made$/ },
  },
  {
    command: "server group list",
    args: ["--long"],
    from: "NONE",
    given: ["servergroup"],
    json: { Policy: /./, Members: /./ },
  },
  {
    command: "server group list",
    args: ["--all-projects"],
    by: "admin",
    from: "NONE",
    given: ["servergroup"],
    json: { Policy: "soft-anti-affinity" },
  },
  {
    command: "server group list",
    args: ["--limit=1"],
    from: "NONE",
    given: ["servergroup"],
    refused: /Additional properties are not allowed \('marker' was unexpected\)/,
    because: "the SDK pages with a marker, which Nova's list of groups refuses from 2.75 on",
  },
  {
    command: "server group show",
    args: ["{servergroup}"],
    from: "NONE",
    json: { policy: "soft-anti-affinity" },
  },
  {
    command: "server group delete",
    args: ["{servergroup}"],
    from: "NONE",
    holds: async (scene) => {
      const { server_groups: left } = await scene.read("/os-server-groups?all_projects=1");
      const gone = await scene.value("servergroup");
      assert.ok(!(left as { id: string }[]).some(({ id }) => id === gone));
    },
  },
];
