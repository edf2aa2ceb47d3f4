import { rename, statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../kernel/index.js";
import { traced } from "../../../kernel/index.js";
import { syncPath } from "../../../platform/files/index.js";
import type { MemoryPhase, Tell } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { isSameProcess } from "../host/linux-process.js";
import { buildArgv, inSamePlaces, withHotDevices } from "./argv.js";
import type { ArgvOptions } from "./argv.js";
import { userOf } from "./definition.js";
import type { Definition } from "./definition.js";
import type { GuestPaths } from "./guest-paths.js";
import { inMib, openMemoryDoor } from "./memory-stream.js";
import { asArray, asObject } from "./qmp-client.js";
import { readRunRecord } from "./run-record.js";
import type { RunningGuest } from "./running-guest.js";
import { commitSaved, dropMemory, withdrawSaved } from "./saved-memory.js";
import type { SavedMemory } from "./saved-memory.js";

const MIB = 1024 ** 2;
/** Of what comes with each page, and what devices have to say. */
const EXTRA_MIB = 64;
/** More than any disk writes: the file's own pace is the limit. */
const NO_LIMIT = 2 ** 50;
const SETTLE_POLL_MS = 20;
const SETTLE_MS = 30_000;
/** What QEMU calls a migration that is under way no more. */
const SETTLED = new Set(["none", "completed", "failed", "cancelled"]);

/** What QEMU calls a guest that stands still and can go on. */
const STANDING = new Set(["paused", "postmigrate", "finish-migrate"]);

export interface GuestToSuspend {
  readonly running: RunningGuest;
  readonly definition: Definition;
  readonly paths: GuestPaths;
}

/**
 * Stops a guest and writes its memory to a file. When it returns the file is whole, on the disk, and counts;
 * the process is still there, and must be ended without having run again. When it throws the guest goes on.
 */
export async function suspendGuest(
  ctx: Ctx,
  guest: GuestToSuspend,
  options: ArgvOptions,
  tell: Tell<MemoryPhase>,
): Promise<SavedMemory> {
  const { running, definition, paths } = guest;
  const argv = await argvOf(ctx, guest, options);
  const memoryBytes = definition.spec.memoryMib * MIB;
  const limitBytes = Math.ceil(memoryBytes * (1 + 1 / 128)) + EXTRA_MIB * MIB;
  await assertRoom(paths, limitBytes);
  const ran = running.runState === "running";
  const door = await openMemoryDoor(paths.memorySocket, userOf(definition));
  try {
    if (ran) running.changeExpected = "paused";
    await running.execute("stop");
    if ((await running.refresh()) === "shutdown")
      throw DriverErrors.GUEST_NOT_RUNNING({ instanceUuid: running.instanceUuid });
    await running.execute("migrate-set-parameters", { "max-bandwidth": NO_LIMIT });
    await running.execute("migrate", { uri: `unix:${paths.memorySocket}` });
    const bytes = await traced(ctx, "qmp migrate", {}, (c) =>
      door.receive(c, paths.memoryBeingSaved, limitBytes, (done) =>
        tell({ phase: "memory", done: Math.min(done, memoryBytes), total: memoryBytes }),
      ),
    );
    if ((await settled(running)) !== "completed")
      throw DriverErrors.HYPERVISOR_FAILED({ step: "write the guest's memory" });
    ctx.signal.throwIfAborted();
    await rename(paths.memoryBeingSaved, paths.memory);
    await syncPath(paths.dir);
    const saved: SavedMemory = { version: 1, bytes, argv: [...argv] };
    await commitSaved(paths, saved);
    tell({ phase: "memory", done: memoryBytes, total: memoryBytes });
    return saved;
  } catch (error) {
    await letGoOn(running, paths, ran).catch((cause: unknown) =>
      ctx.log.error("compute.qemu.guest.stands-still", { instanceUuid: running.instanceUuid, error: cause }),
    );
    throw error;
  } finally {
    await door.close();
  }
}

/**
 * Ends a suspension that has not been committed: the guest goes on, nothing is left of its file. For one that
 * goes on already it changes nothing.
 * @param resume  whether it ran before
 */
export async function letGoOn(running: RunningGuest, paths: GuestPaths, resume = true): Promise<void> {
  await running.execute("migrate_cancel").catch(() => undefined);
  await settled(running);
  // Written or not: from here on nobody may go on from it.
  await withdrawSaved(paths);
  if (resume && STANDING.has(await running.refresh())) {
    running.changeExpected = "resumed";
    await running.execute("cont");
    await running.refresh();
  }
  await dropMemory(paths);
}

/** Waits until QEMU is done with a migration. @returns how it ended @throws HYPERVISOR_SILENT */
async function settled(running: RunningGuest): Promise<string> {
  for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline;) {
    const status = asObject(await running.execute("query-migrate"))["status"] ?? "none";
    if (typeof status === "string" && SETTLED.has(status)) return status;
    await delay(SETTLE_POLL_MS);
  }
  throw DriverErrors.HYPERVISOR_SILENT({ step: "end the migration" });
}

/** @throws NO_ROOM_FOR_MEMORY */
async function assertRoom(paths: GuestPaths, needBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(paths.dir);
  const freeBytes = bavail * bsize;
  if (freeBytes < needBytes) throw DriverErrors.NO_ROOM_FOR_MEMORY(inMib(needBytes, freeBytes));
}

/**
 * With what the guest's process can be made again so that its memory fits.
 * @throws GUEST_NOT_SUSPENDABLE when it has got or lost other devices than those with places of their own
 *   since it was started, or an older version has started it otherwise than this one would
 */
async function argvOf(
  ctx: Ctx,
  { running, definition, paths }: GuestToSuspend,
  options: ArgvOptions,
): Promise<readonly string[]> {
  const { instanceUuid } = running;
  const recorded = (await readRunRecord(paths.runRecord, ctx.log)).argv;
  const argv = recorded ?? buildArgv(definition, paths, options);
  if (recorded === undefined && !isSameProcess(running.identity, argv.slice(1)))
    throw DriverErrors.GUEST_NOT_SUSPENDABLE({
      instanceUuid,
      why: "it was started by an older version, and has to be rebooted hard once",
    });
  const now = asArray(await running.execute("qom-list", { path: "/machine/peripheral" }))
    .map(asObject)
    .filter(({ type }) => typeof type === "string" && type.startsWith("child<"))
    .map(({ name }) => String(name));
  const fits = (words: readonly string[]): boolean => sameNames(deviceIds(words), now);
  if (fits(argv) && inSamePlaces(argv, definition, paths)) return argv;
  const changed = withHotDevices(argv, definition, paths);
  if (changed !== undefined && fits(changed)) return changed;
  throw DriverErrors.GUEST_NOT_SUSPENDABLE({
    instanceUuid,
    why: "its devices have changed since it was started, and it has to be rebooted hard first",
  });
}

/** Names of the devices on a command line, in both forms that QEMU takes. */
const deviceIds = (argv: readonly string[]): readonly string[] =>
  argv.flatMap((word, at) => {
    const device = argv[at + 1];
    if (word !== "-device" || device === undefined) return [];
    const id = device.startsWith("{")
      ? asObject(JSON.parse(device))["id"]
      : /(?:^|,)id=([^,]+)/.exec(device)?.[1];
    return typeof id === "string" ? [id] : [];
  });

const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && new Set([...one, ...other]).size === one.length;
