import assert from "node:assert/strict";
import type { Row } from "../row.js";

const operator = { by: "admin", from: "NONE" } as const;
const removed = {
  ...operator,
  refused: /410/,
  because: "agents went with the XenAPI driver; Nova answers 410",
} as const;
const usage = { ...operator, refused: /501/, because: "usage is not told yet", later: true } as const;
const hosts = {
  ...operator,
  refused: /501/,
  because: "the old list of hosts is not served yet",
  later: true,
} as const;

/** Flavors, key pairs, aggregates, hypervisors and services. */
export const operators: readonly Row[] = [
  {
    command: "flavor create",
    args: [
      "--ram=64",
      "--disk=1",
      "--ephemeral=1",
      "--swap=64",
      "--vcpus=1",
      "--private",
      "--project={project}",
      "--property=hw:cpu_policy=shared",
      "--description=words",
      "{name}-made",
    ],
    ...operator,
    json: { "os-flavor-access:is_public": false, properties: { "hw:cpu_policy": "shared" } },
  },
  { command: "flavor list", args: ["--all", "--long"], ...operator, json: { Name: "m1.nano", RAM: /\d/ } },
  { command: "flavor list", args: ["--limit=1", "--min-ram=1"], from: "NONE", prints: /Is Public/ },
  { command: "flavor show", args: ["{newflavor shared}"], ...operator, json: { access_project_ids: [/./] } },
  {
    command: "flavor set",
    args: ["--property=hw:cpu_policy=shared", "--description=after", "{newflavor}"],
    ...operator,
    holds: async (scene) => {
      const { flavor } = await scene.read(`/flavors/${await scene.value("newflavor")}`);
      const { description, extra_specs: specs } = flavor as Record<string, unknown>;
      assert.deepEqual([description, specs], ["after", { "hw:cpu_policy": "shared" }]);
    },
  },
  { command: "flavor unset", args: ["--project={project}", "{newflavor shared}"], ...operator, prints: /^$/ },
  { command: "flavor delete", args: ["{newflavor}"], ...operator, prints: /^$/ },
  {
    command: "keypair create",
    args: ["--public-key={directory}/key.pub", "{name}-made"],
    from: "NONE",
    json: { name: /-made$/, fingerprint: /:/ },
  },
  { command: "keypair create", args: ["{name}-made"], at: "2.1", from: "NONE", prints: /PRIVATE KEY/ },
  { command: "keypair list", args: [], from: "NONE", prints: /Fingerprint|^$/ },
  { command: "keypair show", args: ["{keypair}"], from: "NONE", json: { name: /-key$/ } },
  { command: "keypair delete", args: ["{keypair}"], from: "NONE", prints: /^$/ },
  {
    command: "aggregate create",
    args: ["--zone={name}-zone", "--property=ssd=true", "{name}-made"],
    ...operator,
    json: { name: /-made$/, availability_zone: /-zone$/ },
  },
  { command: "aggregate list", args: ["--long"], ...operator, prints: /ID|^$/ },
  { command: "aggregate show", args: ["{aggregate}"], ...operator, json: { name: /-aggregate$/, hosts: [] } },
  {
    command: "aggregate set",
    args: ["--name={name}-new", "--property=ssd=true", "{aggregate}"],
    ...operator,
    prints: /^$/,
  },
  { command: "aggregate unset", args: ["--property=ssd", "{aggregate}"], ...operator, prints: /^$/ },
  { command: "aggregate add host", args: ["{aggregate}", "{spare}"], ...operator, json: { hosts: [/vm-3/] } },
  { command: "aggregate remove host", args: ["{peopled}", "{spare}"], ...operator, json: { hosts: [] } },
  { command: "aggregate cache image", args: ["{peopled}", "{image}"], ...operator, prints: /^$/ },
  { command: "aggregate delete", args: ["{aggregate}"], ...operator, prints: /^$/ },
  {
    command: "hypervisor list",
    args: ["--long"],
    ...operator,
    json: { "Hypervisor Hostname": "vm-1", State: "up" },
  },
  {
    command: "hypervisor list",
    args: ["--matching=vm"],
    ...operator,
    at: "2.1",
    json: { "Hypervisor Hostname": "vm-1" },
  },
  {
    command: "hypervisor show",
    args: ["vm-1"],
    ...operator,
    at: "2.1",
    json: { hypervisor_hostname: "vm-1", state: "up" },
  },
  { command: "hypervisor stats show", args: [], ...operator, at: "2.1", json: { count: 3 } },
  {
    command: "compute service list",
    args: ["--service=nova-compute", "--host={spare}", "--long"],
    ...operator,
    json: { Host: "vm-3", State: /up|down/ },
  },
  {
    command: "compute service set",
    args: ["--disable", "--disable-reason=maintenance", "{spare}", "nova-compute"],
    ...operator,
    prints: /^$/,
  },
  {
    command: "compute service delete",
    args: ["00000000-0000-4000-8000-000000000001"],
    ...operator,
    refused: /404|could not be found|not found|services failed to delete/i,
    because: "there is no such service",
  },
  { command: "compute agent list", args: [], ...removed },
  { command: "compute agent create", args: ["linux", "x86", "1", "http://a", "0", "xen"], ...removed },
  { command: "compute agent set", args: ["--agent-version=2", "1"], ...removed },
  {
    command: "compute agent delete",
    args: ["1"],
    ...operator,
    refused: /410|failed to delete/,
    because: "agents went with the XenAPI driver",
  },
  { command: "host list", args: [], ...hosts },
  { command: "host show", args: ["vm-1"], ...hosts },
  { command: "host set", args: ["--enable", "vm-1"], ...hosts },
  { command: "usage list", args: [], ...usage },
  { command: "usage show", args: ["--project=demo"], ...usage },
];
