import assert from "node:assert/strict";
import type { Row } from "../row.js";

const operator = { by: "admin", from: "NONE" } as const;

/** What operators do with flavors, aggregates, hosts and services. */
export const novaOperators: readonly Row[] = [
  {
    command: "flavor-create",
    args: [
      "--ephemeral",
      "1",
      "--swap",
      "64",
      "--is-public",
      "False",
      "--description",
      "words",
      "{name}-made",
      "auto",
      "64",
      "1",
      "1",
    ],
    ...operator,
    prints: /-made/,
  },
  { command: "flavor-update", args: ["{newflavor}", "other words"], ...operator, prints: /other words/ },
  {
    command: "flavor-key",
    args: ["{newflavor}", "set", "hw:cpu_policy=shared"],
    ...operator,
    holds: async (scene) => {
      const { extra_specs: specs } = await scene.read(
        `/flavors/${await scene.value("newflavor")}/os-extra_specs`,
      );
      assert.deepEqual(specs, { "hw:cpu_policy": "shared" });
    },
  },
  {
    command: "flavor-access-add",
    args: ["{newflavor private}", "{project}"],
    ...operator,
    prints: /Tenant_ID/,
  },
  {
    command: "flavor-access-list",
    args: ["--flavor", "{newflavor private}"],
    ...operator,
    prints: /Tenant_ID/,
  },
  {
    command: "flavor-access-remove",
    args: ["{newflavor shared}", "{project}"],
    ...operator,
    prints: /Tenant_ID/,
  },
  { command: "flavor-delete", args: ["{newflavor}"], ...operator, prints: /^\s*$|row/ },
  { command: "aggregate-create", args: ["{name}-made", "{name}-zone"], ...operator, prints: /-zone/ },
  { command: "aggregate-list", args: [], ...operator, prints: /Availability Zone/ },
  { command: "aggregate-show", args: ["{aggregate}"], ...operator, prints: /-aggregate/ },
  {
    command: "aggregate-update",
    args: ["--name", "{name}-renamed", "{aggregate}"],
    ...operator,
    prints: /-renamed/,
  },
  { command: "aggregate-set-metadata", args: ["{aggregate}", "ssd=true"], ...operator, prints: /ssd=true/ },
  {
    command: "aggregate-add-host",
    args: ["{aggregate}", "{spare}"],
    ...operator,
    prints: /successfully added/,
  },
  {
    command: "aggregate-remove-host",
    args: ["{peopled}", "{spare}"],
    ...operator,
    prints: /successfully removed/,
  },
  { command: "aggregate-cache-images", args: ["{peopled}", "{image}"], ...operator, prints: /^\s*$/ },
  { command: "aggregate-delete", args: ["{aggregate}"], ...operator, prints: /successfully deleted/ },
  { command: "hypervisor-list", args: [], ...operator, prints: /vm-1.*up.*enabled/ },
  { command: "hypervisor-list", args: ["--matching", "vm"], ...operator, at: "2.1", prints: /vm-1/ },
  { command: "hypervisor-show", args: ["{hypervisor}"], ...operator, prints: /hypervisor_hostname/ },
  { command: "hypervisor-servers", args: ["{host}"], by: "admin", prints: /instance-/ },
  { command: "hypervisor-stats", args: [], ...operator, at: "2.1", prints: /count *\| 3/ },
  {
    command: "hypervisor-uptime",
    args: ["{spare}"],
    ...operator,
    at: "2.1",
    prints: /uptime/,
  },
  {
    command: "service-list",
    args: ["--binary", "nova-compute", "--host", "{spare}"],
    ...operator,
    prints: /nova-compute/,
  },
  {
    command: "service-disable",
    args: ["--reason", "maintenance", "{service}"],
    ...operator,
    prints: /disabled.*maintenance/,
  },
  { command: "service-force-down", args: ["{service}"], ...operator, prints: /True/ },
  { command: "service-force-down", args: ["--unset", "{service}"], ...operator, prints: /False/ },
  { command: "service-enable", args: ["{service}"], ...operator, prints: /enabled/ },
  { command: "service-disable", args: ["{service}"], ...operator, prints: /disabled/ },
  {
    command: "service-delete",
    args: ["00000000-0000-4000-8000-000000000001"],
    ...operator,
    refused: /HTTP 404|could not be found/,
    because: "there is no such service",
  },
  { command: "host-meta", args: ["{spare}", "set", "colour=red"], ...operator, prints: /^\s*$/ },
  { command: "migration-list", args: ["--limit", "1"], ...operator, prints: /Source Node/ },
  { command: "server-migration-list", args: ["{server}"], by: "admin", prints: /Id|ID/ },
  {
    command: "server-migration-show",
    args: ["{server}", "1"],
    by: "admin",
    refused: /HTTP 404|could not be found/,
    because: "the server has none",
  },
];
