import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import type { Ctx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { asUser } from "../host/run-as.js";
import type { RunAs } from "../host/run-as.js";
import { toolPath } from "../host/run-tool.js";
import type { QemuConfig } from "./config.js";
import { QmpClient, asObject } from "./qmp-client.js";

/** What the installed QEMU says about itself with the configured accelerator. */
export interface HypervisorFacts {
  /** 7.2.22 is 7002022. */
  readonly version: number;
  /** Machine types by name, e.g. `pc-q35-7.2`. */
  readonly machines: ReadonlySet<string>;
  /** CPU features that guests really get, by QEMU's names (`sse4.2`, `avx2`). */
  readonly cpuFeatures: ReadonlySet<string>;
}

/**
 * Asks QEMU, once, at start; also proves that it starts at all, sandboxed and as the user meant for guests.
 * @throws HYPERVISOR_FAILED when it does not, or when a pinned machine type is unknown to it
 */
export async function probeHypervisor(ctx: Ctx, config: QemuConfig, runAs: RunAs | undefined): Promise<HypervisorFacts> {
  const argv = asUser(runAs, [
    config.qemu, "-machine", "none", "-accel", config.virtType, "-nodefaults", "-no-user-config", "-display", "none", "-S", "-qmp", "stdio",
    "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
  ]);
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], cwd: "/", env: { PATH: toolPath, LC_ALL: "C" } });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => { errors = (errors + chunk.toString("utf8")).slice(-2_000); });
  const ended = new Promise<void>((resolve) => { child.on("close", () => resolve()); });
  child.on("error", (error) => { errors = error.message; });
  try {
    const qmp = await QmpClient.over(Duplex.from({ readable: child.stdout, writable: child.stdin }), { greetingTimeoutMs: config.launchTimeoutMs });
    const facts = await readFacts(qmp);
    await qmp.execute("quit").catch(() => undefined);
    for (const machine of Object.values(config.pinnedMachines)) {
      if (!facts.machines.has(machine)) throw new Error(`QEMU does not know the machine type ${machine}`);
    }
    return facts;
  } catch (error) {
    ctx.log.error("compute.qemu.probe.failed", { error, output: errors });
    throw DriverErrors.HYPERVISOR_FAILED({ step: "start" }, { cause: new AggregateError([error], errors) });
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function readFacts(qmp: QmpClient): Promise<HypervisorFacts> {
  const { major, minor, micro } = qmp.version;
  const machines = await qmp.execute("query-machines");
  // `max` is what guests get: everything the accelerator can do.
  const expansion = await qmp.execute("query-cpu-model-expansion", { type: "full", model: { name: "max" } }, 30_000);
  const props = asObject(asObject(asObject(expansion)["model"])["props"]);
  return {
    version: major * 1_000_000 + minor * 1_000 + micro,
    machines: new Set((Array.isArray(machines) ? machines : []).map((m) => String(asObject(m)["name"]))),
    cpuFeatures: new Set(Object.entries(props).filter(([, value]) => value === true).map(([name]) => name)),
  };
}
