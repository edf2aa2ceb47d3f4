import type { Ctx } from "../../../kernel/index.js";
import { KilonovaError, traced } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { asArray, asObject } from "./qmp-client.js";
import type { RunningGuest } from "./running-guest.js";

/** How long a guest may take to let go of a device, and how often it is asked. */
export interface DetachPatience {
  readonly detachAttempts: number;
  readonly detachTimeoutMs: number;
}

/** What is asked of a running guest's monitor. */
export type HotGuest = Pick<
  RunningGuest,
  "instanceUuid" | "execute" | "onEvent" | "down" | "gone" | "hurried"
>;

/**
 * Takes a device out of a running guest, which has to let go of it. One that is not there, or whose guest
 * ends meanwhile, is success.
 * @returns whether its other parts can be taken apart now, or have ended with the guest
 * @throws DEVICE_DETACH_FAILED when it has not in time, refuses, or sits where nothing can be taken out
 */
export async function unplugDevice(
  ctx: Ctx,
  guest: HotGuest,
  device: string,
  { detachAttempts, detachTimeoutMs }: DetachPatience,
): Promise<"free" | "ended"> {
  for (let attempt = 1; await hasDevice(guest, device); attempt++) {
    if (attempt > detachAttempts) throw DriverErrors.DEVICE_DETACH_FAILED({ device });
    const release = awaitRelease(ctx, guest, device, detachTimeoutMs);
    try {
      await qmp(ctx, guest, "device_del", { id: device });
    } catch (error) {
      // Asked again, it may still be at it.
      if (attempt === 1 || !isRefusal(error)) {
        release.stop();
        if (isRefusal(error)) throw DriverErrors.DEVICE_DETACH_FAILED({ device }, { cause: error });
        throw error;
      }
    }
    const end = await release.end;
    if (end === "ended") return end;
    if (end === "refused") throw DriverErrors.DEVICE_DETACH_FAILED({ device });
  }
  return "free";
}

type Release = "deleted" | "refused" | "ended" | "late";

/** Begins to listen at once: the answer may come before that to the request. */
function awaitRelease(
  ctx: Ctx,
  guest: HotGuest,
  device: string,
  timeoutMs: number,
): { readonly end: Promise<Release>; stop(): void } {
  let stop = (): void => {};
  const end = new Promise<Release>((resolve, reject) => {
    const abort = (): void => {
      stop();
      reject(
        ctx.signal.aborted ? (ctx.signal.reason as Error) : DriverErrors.DEVICE_DETACH_FAILED({ device }),
      );
    };
    const settle = (how: Release): void => {
      stop();
      resolve(how);
    };
    const unsubscribe = guest.onEvent(({ event, data }) => {
      if (data["device"] !== device) return;
      if (event === "DEVICE_DELETED") settle("deleted");
      if (event === "DEVICE_UNPLUG_GUEST_ERROR") settle("refused");
    });
    const timer = setTimeout(() => settle("late"), timeoutMs);
    const signals = [ctx.signal, guest.hurried];
    stop = () => {
      unsubscribe();
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", abort);
    };
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    void Promise.race([guest.down, guest.gone]).then(() => settle("ended"));
    if (signals.some(({ aborted }) => aborted)) abort();
  });
  end.catch(() => {});
  return { end, stop: () => stop() };
}

/** Ids of the devices that have one. */
export async function devices(guest: HotGuest): Promise<ReadonlySet<unknown>> {
  const listed = await guest.execute("qom-list", { path: "/machine/peripheral" });
  return new Set(asArray(listed).map((one) => asObject(one)["name"]));
}

export const hasDevice = async (guest: HotGuest, device: string): Promise<boolean> =>
  (await devices(guest)).has(device);

export const isRefusal = (error: unknown): boolean =>
  error instanceof KilonovaError && error.reason === "COMMAND_REFUSED";

/** A refusal says that there is nothing to do. */
export async function unlessRefused(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/** A monitor command under a span of its own. */
export const qmp = (
  ctx: Ctx,
  guest: HotGuest,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<unknown> => traced(ctx, `qmp ${name}`, {}, () => guest.execute(name, args));
