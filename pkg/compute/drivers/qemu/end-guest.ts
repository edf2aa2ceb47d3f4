import type { Ctx } from "../../../kernel/index.js";
import { whenFirstAborted } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import type { QemuConfig } from "./config.js";
import type { GuestPaths } from "./guest-paths.js";
import { stoppedRecord, writeRunRecord } from "./run-record.js";
import type { RunningGuest } from "./running-guest.js";

/** From SIGKILL to a process that is gone; longer only when the kernel itself is stuck in I/O. */
const KILL_TIMEOUT_MS = 30_000;

/**
 * Presses the guest's power button, again at each interval, and waits until it is down.
 * @returns false when it was not down in time, cannot hear (paused), or somebody is in a hurry
 */
export async function askToShutDown(
  ctx: Ctx,
  guest: RunningGuest,
  timeoutMs: number,
  intervalMs: number,
): Promise<boolean> {
  if (guest.runState !== "running") return guest.powerState === "SHUTDOWN";
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline && !guest.hurried.aborted) {
    try {
      await guest.execute("system_powerdown");
    } catch {
      return false;
    }
    const waitMs = Math.min(intervalMs, deadline - performance.now());
    if (await within(guest.down, waitMs, [ctx.signal, guest.hurried])) return true;
    ctx.signal.throwIfAborted();
  }
  return false;
}

/**
 * Ends the process: `quit` (flushes the disks), else SIGKILL; waits until it is gone and writes that down.
 * @throws HYPERVISOR_SILENT when even SIGKILL does not end it
 */
export async function endProcess(
  guest: RunningGuest,
  paths: GuestPaths,
  config: Pick<QemuConfig, "quitTimeoutMs">,
): Promise<void> {
  guest.endExpected = true;
  await writeRunRecord(paths.runRecord, { version: 1, phase: "stopping", process: guest.identity });
  // QEMU hangs up before it answers `quit`; only the end of the process counts.
  guest.execute("quit", undefined, config.quitTimeoutMs).catch(() => undefined);
  if (guest.runState === "unknown" || !(await within(guest.gone, config.quitTimeoutMs, []))) {
    guest.kill("SIGKILL");
    if (!(await within(guest.gone, KILL_TIMEOUT_MS, [])))
      throw DriverErrors.HYPERVISOR_SILENT({ step: "end the guest" });
  }
  await writeRunRecord(paths.runRecord, stoppedRecord);
}

/** Whether the promise settles within the time and before a signal aborts. */
function within(promise: Promise<void>, ms: number, signals: readonly AbortSignal[]): Promise<boolean> {
  return new Promise((resolve) => {
    let leave = (): void => {};
    const settle = (value: boolean): void => {
      clearTimeout(timer);
      leave();
      resolve(value);
    };
    const onAbort = (): void => settle(false);
    const timer = setTimeout(onAbort, ms);
    leave = whenFirstAborted(signals, onAbort);
    void promise.then(() => settle(true));
  });
}
