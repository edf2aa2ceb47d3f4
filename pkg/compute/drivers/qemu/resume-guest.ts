import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../kernel/index.js";
import { traced } from "../../../kernel/index.js";
import type { MemoryPhase, Tell } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { fileTail } from "./console-log.js";
import type { QemuConfig } from "./config.js";
import type { Definition } from "./definition.js";
import { endProcess } from "./end-guest.js";
import type { GuestPaths } from "./guest-paths.js";
import { askGuestAgent } from "./guest-agent.js";
import { launch } from "./launch.js";
import type { LaunchTools } from "./launch.js";
import { feedMemory } from "./memory-stream.js";
import type { RunningGuest } from "./running-guest.js";
import { isWhole } from "./saved-memory.js";
import type { SavedMemory } from "./saved-memory.js";

const LOAD_POLL_MS = 20;
/** From the last byte to a machine that is ready to go on. */
const LOADED_WITHIN_MS = 60_000;
const CLOCK_MS = 5_000;
const NS_PER_MS = 1_000_000;

export interface SuspendedGuest {
  readonly definition: Definition;
  readonly paths: GuestPaths;
  readonly saved: SavedMemory;
}

export interface ResumeTools extends LaunchTools {
  readonly config: LaunchTools["config"] & Pick<QemuConfig, "quitTimeoutMs">;
}

/**
 * Starts the process of a suspended guest and gives it its memory; it stands where it stood, and has not run
 * yet. Its files must be ready.
 * @throws SAVED_MEMORY_LOST, HYPERVISOR_FAILED, HYPERVISOR_SILENT; no process is left then, and the memory is
 *   as it was
 */
export async function loadGuest(
  ctx: Ctx,
  { definition, paths, saved }: SuspendedGuest,
  tools: ResumeTools,
  tell: Tell<MemoryPhase>,
): Promise<RunningGuest> {
  const { instanceUuid } = definition.spec;
  if (!(await isWhole(paths, saved))) throw DriverErrors.SAVED_MEMORY_LOST({ instanceUuid });
  const argv = [tools.config.qemu, ...saved.argv.slice(1)];
  const running = await launch(ctx, definition, paths, tools, {
    argv,
    incoming: `unix:${paths.memorySocket}`,
  });
  try {
    await traced(ctx, "qmp migrate-incoming", {}, async (c) => {
      await feedMemory(c, paths.memory, paths.memorySocket, (done) =>
        tell({ phase: "memory", done, total: saved.bytes }),
      );
      await untilLoaded(c, running);
    });
    return running;
  } catch (error) {
    const output = fileTail(paths.qemuLog, 2_000).toString("utf8");
    await endProcess(running, paths, tools.config);
    ctx.signal.throwIfAborted();
    throw DriverErrors.HYPERVISOR_FAILED(
      { step: "take the guest's memory" },
      { cause: new AggregateError([error], output) },
    );
  }
}

async function untilLoaded(ctx: Ctx, running: RunningGuest): Promise<void> {
  let gone = false;
  void running.gone.then(() => {
    gone = true;
  });
  for (const deadline = performance.now() + LOADED_WITHIN_MS; performance.now() < deadline;) {
    if (gone) throw DriverErrors.MONITOR_CLOSED({ step: "take the guest's memory" });
    if ((await running.refresh()) !== "inmigrate") return;
    await delay(LOAD_POLL_MS, undefined, { signal: ctx.signal });
  }
  throw DriverErrors.HYPERVISOR_SILENT({ step: "take the guest's memory" });
}

/**
 * A guest's own clock has stood still with it. Its agent, where there is one, sets it to the machine's.
 * @source nova.virt.libvirt guest.sync_guest_time
 */
export async function setClock(
  ctx: Ctx,
  { definition, paths }: Omit<SuspendedGuest, "saved">,
): Promise<void> {
  if (definition.spec.hardware.guestAgent !== true) return;
  const time = Date.now() * NS_PER_MS;
  await askGuestAgent(paths.agentSocket, "guest-set-time", { time }, CLOCK_MS).catch((error: unknown) =>
    ctx.log.warn("compute.qemu.guest.clock-late", { instanceUuid: definition.spec.instanceUuid, error }),
  );
}
