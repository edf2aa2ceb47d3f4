import type { Row } from "../row.js";

const moving = {
  by: "admin",
  refused: /HTTP 501/,
  because: "running guests do not move yet",
  later: true,
} as const;
const quotas = {
  by: "admin",
  from: "NONE",
  refused: /HTTP 501/,
  because: "quotas are options, not yet an API",
  later: true,
} as const;
const usage = {
  by: "admin",
  from: "NONE",
  refused: /HTTP 501/,
  because: "usage is not told yet",
  later: true,
} as const;
const removed = {
  by: "admin",
  from: "NONE",
  refused: /not supported|HTTP 410/,
  because: "agents went with the XenAPI driver; Nova answers 410",
} as const;

/** What is refused as long as it is not built, and what Nova itself refuses. */
export const novaLater: readonly Row[] = [
  { command: "live-migration", args: ["{server}"], ...moving },
  { command: "live-migration-abort", args: ["{server}", "1"], ...moving },
  { command: "live-migration-force-complete", args: ["{server}", "1"], ...moving },
  { command: "evacuate", args: ["{server}"], ...moving },
  { command: "quota-show", args: ["--tenant", "{project}"], ...quotas },
  { command: "quota-defaults", args: ["--tenant", "{project}"], ...quotas },
  { command: "quota-update", args: ["--instances", "5", "{project}"], ...quotas },
  { command: "quota-delete", args: ["--tenant", "{project}"], ...quotas },
  { command: "quota-class-show", args: ["default"], ...quotas },
  { command: "quota-class-update", args: ["--instances", "5", "default"], ...quotas },
  { command: "usage", args: ["--tenant", "{project}"], ...usage },
  { command: "usage-list", args: [], ...usage },
  { command: "instance-usage-audit-log", args: [], ...usage },
  {
    command: "volume-update",
    args: ["--delete-on-termination", "{server}", "{attached}", "{attached}"],
    holds: (scene) => scene.diesWithServer(true),
  },
  {
    command: "volume-update",
    args: ["{server}", "{attached}", "{bootable}"],
    refused: /HTTP 403/,
    because: "only Block Storage puts another volume into a volume's place",
  },
  {
    command: "refresh-network",
    args: ["{server}"],
    by: "admin",
    prints: /^\s*$/,
    becomes: { status: "ACTIVE" },
  },
  { command: "agent-list", args: [], ...removed },
  { command: "agent-create", args: ["linux", "x86", "1", "http://a", "0", "xen"], ...removed },
  { command: "agent-modify", args: ["1", "1", "http://a", "0"], ...removed },
  { command: "agent-delete", args: ["1"], ...removed },
  { command: "host-evacuate", args: ["{spare}"], by: "admin", from: "NONE", prints: /^\s*$|Server UUID/ },
  {
    command: "host-evacuate-live",
    args: ["{spare}"],
    by: "admin",
    from: "NONE",
    prints: /^\s*$|Server UUID/,
  },
  {
    command: "host-servers-migrate",
    args: ["{spare}"],
    by: "admin",
    from: "NONE",
    prints: /^\s*$|Server UUID/,
  },
];
