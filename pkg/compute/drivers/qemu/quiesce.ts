import { setTimeout as delay } from "node:timers/promises";
import { rm, stat } from "node:fs/promises";
import type { Logger } from "../../../kernel/index.js";
import { ifThere, writeFileAtomic } from "../../../platform/files/index.js";
import type { Quiesce } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { askGuestAgent } from "./guest-agent.js";
import type { GuestPaths } from "./guest-paths.js";

/** Freezing waits for what the guest's programs are just writing. */
const FREEZE_MS = 60_000;
const THAW_MS = 10_000;
const THAW_ATTEMPTS = 6;
const THAW_AGAIN_MS = 2_000;

/** A guest, as far as freezing goes. */
export interface Freezable {
  readonly instanceUuid: string;
  readonly paths: Pick<GuestPaths, "agentSocket" | "frozenMark">;
  /** Whether there is a channel to an agent inside, and a guest that runs to answer. */
  readonly hears: boolean;
  readonly log: Logger;
}

/** How the agent inside is asked; handed in so that tests can play it. */
export type AskGuest = typeof askGuestAgent;

/**
 * Does something while the guest's file systems are frozen, as far as that is wanted and possible. They are
 * thawed whatever comes of it. That they may be frozen is written down first, for the agent after this one.
 * @throws QUIESCE_FAILED when it is required and cannot be had; then nothing was done
 */
export async function whileFrozen<T>(
  guest: Freezable,
  quiesce: Quiesce,
  work: () => Promise<T>,
  ask: AskGuest = askGuestAgent,
): Promise<T> {
  const { instanceUuid, paths, hears, log } = guest;
  if (quiesce === "no") return work();
  if (!hears) {
    if (quiesce === "required") throw DriverErrors.QUIESCE_FAILED({ instanceUuid });
    return work();
  }
  await writeFileAtomic(paths.frozenMark, "");
  try {
    try {
      await ask(paths.agentSocket, "guest-fsfreeze-freeze", {}, FREEZE_MS);
    } catch (cause) {
      if (quiesce === "required") throw DriverErrors.QUIESCE_FAILED({ instanceUuid }, { cause });
      log.info("compute.qemu.guest.not-quiesced", { instanceUuid, error: cause });
    }
    return await work();
  } finally {
    await thaw(guest, ask);
  }
}

/**
 * Freezes the guest's file systems until `thaw`. As above it is written down first.
 * @throws QUIESCE_FAILED when nobody answers inside; then it was told to thaw
 */
export async function freeze(guest: Freezable, ask: AskGuest = askGuestAgent): Promise<void> {
  const { instanceUuid, paths, hears } = guest;
  if (!hears) throw DriverErrors.QUIESCE_FAILED({ instanceUuid });
  await writeFileAtomic(paths.frozenMark, "");
  try {
    await ask(paths.agentSocket, "guest-fsfreeze-freeze", {}, FREEZE_MS);
  } catch (cause) {
    await thaw(guest, ask);
    throw DriverErrors.QUIESCE_FAILED({ instanceUuid }, { cause });
  }
}

/**
 * Thaws a guest that may be frozen; also one that did not answer when it was asked to freeze: it may have
 * heard. Repeatable. One that does not answer stays marked, so that the next agent tries again.
 * @returns false of such a one
 */
export async function thaw(
  { instanceUuid, paths, hears, log }: Freezable,
  ask: AskGuest = askGuestAgent,
  againMs = THAW_AGAIN_MS,
): Promise<boolean> {
  if ((await ifThere(stat(paths.frozenMark))) === undefined) return true;
  // A guest that was started anew has thawed with it.
  for (let attempt = 1; hears; attempt++) {
    try {
      await ask(paths.agentSocket, "guest-fsfreeze-thaw", {}, THAW_MS);
      break;
    } catch (error) {
      if (attempt < THAW_ATTEMPTS) {
        await delay(againMs);
        continue;
      }
      log.error("compute.qemu.guest.not-thawed", { instanceUuid, error });
      return false;
    }
  }
  await rm(paths.frozenMark, { force: true });
  return true;
}
