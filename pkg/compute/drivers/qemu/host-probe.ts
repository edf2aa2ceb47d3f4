import { Duplex } from "node:stream";
import { KilonovaError } from "../../../kernel/index.js";
import type { Ctx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { realPid, start } from "../host/command.js";
import type { Isolation } from "../host/isolation.js";
import { kvmGroups } from "../host/run-as.js";
import type { HardwareOffer, QemuConfig } from "./config.js";
import { QmpClient, asArray, asObject } from "./qmp-client.js";

const OLDEST = 7_002_000;

/** What the installed QEMU says about itself with the configured accelerator. */
export interface HypervisorFacts {
  /** 7.2.22 is 7002022. */
  readonly version: number;
  readonly offer: HardwareOffer;
  /** CPU features that guests really get, by QEMU's names (`sse4.2`, `avx2`). */
  readonly cpuFeatures: ReadonlySet<string>;
}

/**
 * Asks QEMU, once, at start; also proves that it starts at all, shut in as guests will be.
 * @throws HYPERVISOR_FAILED when it does not, is older than 7.2, or does not know a pinned machine type;
 *   GUEST_NOT_ISOLATED
 */
export async function probeHypervisor(
  ctx: Ctx,
  config: QemuConfig,
  isolation: Isolation,
): Promise<HypervisorFacts> {
  const room = {
    user: isolation.uids?.take(config.stateDir),
    memberOf: config.virtType === "kvm" ? kvmGroups() : [],
    devices: config.virtType === "kvm" ? ["/dev/kvm"] : [],
    dies: false,
  };
  const argv = [
    config.qemu,
    "-machine",
    "none",
    "-accel",
    config.virtType,
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-S",
    "-qmp",
    "stdio",
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
  ];
  const command = isolation.enter(argv, room);
  const child = start(command, { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString("utf8")).slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
  });
  child.on("error", (error) => {
    errors = error.message;
  });
  let pid = 0;
  try {
    pid = await realPid(child, command);
    const { stdout, stdin } = child;
    if (stdout === null || stdin === null) throw new Error("QEMU has no pipes");
    const qmp = await QmpClient.over(Duplex.from({ readable: stdout, writable: stdin }), {
      greetingTimeoutMs: config.launchTimeoutMs,
    });
    isolation.assertHolds(pid, room);
    const facts = await readFacts(qmp, config);
    await qmp.execute("quit").catch(() => undefined);
    return facts;
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "GUEST_NOT_ISOLATED") throw error;
    ctx.log.error("compute.qemu.probe.failed", { error, output: errors });
    throw DriverErrors.HYPERVISOR_FAILED({ step: "start" }, { cause: new AggregateError([error], errors) });
  } finally {
    // Nothing is known of it but its number: it is still ours while bubblewrap, its parent, waits for it.
    if (child.exitCode === null && child.signalCode === null) {
      if (pid > 0) endQuietly(pid);
      else child.kill("SIGKILL");
    }
    await ended;
  }
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

async function readFacts(
  qmp: QmpClient,
  { pinnedMachines: wanted = {}, virtType }: QemuConfig,
): Promise<HypervisorFacts> {
  const { major, minor, micro } = qmp.version;
  const version = major * 1_000_000 + minor * 1_000 + micro;
  if (version < OLDEST) throw new Error(`QEMU ${major}.${minor} is too old: -netdev stream came with 7.2`);
  const machines = asArray(await qmp.execute("query-machines")).map(asObject);
  const models = asArray(await qmp.execute("query-cpu-definitions")).map(asObject);
  // `max` is what guests get: everything the accelerator can do.
  const expansion = await qmp.execute(
    "query-cpu-model-expansion",
    { type: "full", model: { name: "max" } },
    30_000,
  );
  const props = asObject(asObject(asObject(expansion)["model"])["props"]);
  return {
    version,
    offer: {
      pinned: { q35: pin(machines, "q35", wanted.q35), pc: pin(machines, "pc", wanted.pc) },
      machines: new Map(machines.map((machine) => [String(machine["name"]), Number(machine["cpu-max"])])),
      // The host's own CPU is known to QEMU, and refused, without KVM too.
      cpuModels: new Set(
        models.map(({ name }) => String(name)).filter((name) => name !== "host" || virtType === "kvm"),
      ),
    },
    cpuFeatures: new Set(
      Object.entries(props)
        .filter(([, value]) => value === true)
        .map(([name]) => name),
    ),
  };
}

function pin(
  machines: readonly Readonly<Record<string, unknown>>[],
  alias: "q35" | "pc",
  wanted: string | undefined,
): string {
  const found = machines.find((machine) =>
    wanted === undefined ? machine["alias"] === alias : machine["name"] === wanted,
  );
  if (typeof found?.["name"] !== "string")
    throw new Error(`QEMU does not know the machine type ${wanted ?? alias}`);
  return found["name"];
}
