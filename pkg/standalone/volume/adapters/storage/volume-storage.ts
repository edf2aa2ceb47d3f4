import { chown, mkdir, readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Ctx, Logger } from "../../../../kernel/index.js";
import type { CagedPrograms, CagedUser, VolumeStorage } from "../../ports.js";
import { VolumeDaemons } from "./daemons.js";
import { growFile, makeFile, readPlain, settle, writeAll, writeSparse } from "./data.js";
import { foldersOf, openPlaces } from "./places.js";
import type { Places } from "./places.js";

export interface VolumeStorageOptions {
  /** Holds the data; made when missing. One service per directory. */
  readonly directory: string;
  readonly programs: CagedPrograms;
  readonly log: Logger;
}

/** For a disk of some hundred GiB on a slow machine. */
const TOOL_TIMEOUT_MS = 6 * 3_600_000;
/** What a format adds to the data of a disk, at most. */
const FORMAT_ROOM = 2 ** 30;
const COPY = "copy";
const CONVERTED = "converted";

/**
 * Volumes as sparse raw files: their bytes are the tenant's, so nothing in them is ever read as a format.
 * Copies read only what is written, and share it where the file system can.
 */
export function volumeStorage({ directory, programs, log }: VolumeStorageOptions): VolumeStorage {
  const places = openPlaces(directory, programs.hidesFolders);
  const daemons = new VolumeDaemons({ programs, places, program: "qemu-storage-daemon" }, log);

  /** The volume's folder, its user's. */
  const open = async (volumeId: string): Promise<CagedUser | undefined> => {
    const user = programs.userFor(places.volume(volumeId));
    await mkdir(places.volume(volumeId), { recursive: true, mode: 0o700 });
    if (user) await chown(places.volume(volumeId), user.uid, user.gid);
    return user;
  };
  const draftOf = (volumeId: string): string => join(places.volume(volumeId), "draft");
  const finish = (volumeId: string, user: CagedUser | undefined, size: number): Promise<void> =>
    settle(draftOf(volumeId), places.disk(volumeId), user, { mode: 0o600, size });

  /** A copy of a volume's content of one moment, in its own folder: the only one that its daemon sees. */
  const copyOf = async (ctx: Ctx, volumeId: string): Promise<string> => {
    const user = await open(volumeId);
    const { size, data } = await readPlain(places.disk(volumeId));
    data.destroy();
    const path = join(places.volume(volumeId), `${COPY}-${ctx.requestId.replaceAll(/[^\w-]/g, "")}`);
    await makeFile(path, size, user);
    try {
      await daemons.copy(ctx, volumeId, path);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return path;
  };

  return {
    blank: async (_ctx, volumeId, size) => {
      const user = await open(volumeId);
      await makeFile(draftOf(volumeId), size, user);
      await finish(volumeId, user, size);
    },
    fromSnapshot: async (ctx, volumeId, size, snapshotId) => {
      const user = await open(volumeId);
      const [from, draft] = [places.snapshot(snapshotId), draftOf(volumeId)];
      await rm(draft, { force: true });
      await programs.run(
        ctx,
        ["cp", "--reflink=auto", "--sparse=always", "--", from, draft],
        { user, readable: [from], writable: [places.volume(volumeId)] },
        { timeoutMs: TOOL_TIMEOUT_MS, fileBytes: size },
      );
      await finish(volumeId, user, size);
    },
    fromVolume: async (ctx, volumeId, size, sourceId) => {
      const user = await open(volumeId);
      const copy = await copyOf(ctx, sourceId);
      await settle(copy, places.disk(volumeId), user, { mode: 0o600, size });
    },
    fromImage: async (ctx, volumeId, size, { format, data }) => {
      const user = await open(volumeId);
      const [draft, incoming] = [draftOf(volumeId), places.incoming(volumeId)];
      try {
        await makeFile(draft, format === "raw" ? size : 0, user);
        if (format === "raw") await writeSparse(draft, data, size, ctx.signal);
        else {
          await writeAll(incoming, data, ctx.signal);
          // The only place where a stranger's format is read: by a tool with no rights that sees no more.
          await programs.run(
            ctx,
            ["qemu-img", "convert", "-f", format, "-O", "raw", incoming, draft],
            { user, readable: [incoming], writable: [places.volume(volumeId)] },
            { timeoutMs: TOOL_TIMEOUT_MS, fileBytes: size },
          );
        }
        await finish(volumeId, user, size);
      } finally {
        await rm(incoming, { force: true });
        await rm(draft, { force: true });
      }
    },
    snapshot: async (ctx, snapshotId, volumeId) => {
      const copy = await copyOf(ctx, volumeId);
      // For everybody to read who is shown it; the folder is closed.
      await settle(copy, places.snapshot(snapshotId), undefined, { mode: 0o444 });
    },
    imageFile: async (ctx, volumeId, format) => {
      const copy = await copyOf(ctx, volumeId);
      const converted = copy.replace(`/${COPY}-`, `/${CONVERTED}-`);
      const dispose = async (): Promise<void> => {
        for (const path of [copy, converted]) await rm(path, { force: true });
      };
      try {
        if (format !== "raw") {
          const user = programs.userFor(places.volume(volumeId));
          const { size, data } = await readPlain(copy);
          data.destroy();
          await programs.run(
            ctx,
            ["qemu-img", "convert", "-f", "raw", "-O", format, copy, converted],
            { user, readable: [], writable: [places.volume(volumeId)] },
            { timeoutMs: TOOL_TIMEOUT_MS, fileBytes: size + FORMAT_ROOM },
          );
        }
        return { ...(await readPlain(format === "raw" ? copy : converted)), dispose };
      } catch (error) {
        await dispose();
        throw error;
      }
    },
    grow: async (_ctx, volumeId, size) => {
      if (!(await daemons.grow(volumeId, size))) await growFile(places.disk(volumeId), size);
    },
    removeVolume: async (_ctx, volumeId) => {
      await daemons.end(volumeId);
      await removeAll(places, volumeId, programs);
    },
    removeSnapshot: (_ctx, snapshotId) => rm(places.snapshot(snapshotId), { force: true }),
    serve: async (ctx, served) => {
      await daemons.serve(ctx, served);
      return { socket: places.socket(served.volumeId), exportName: served.attachmentId };
    },
    endServing: (_ctx, volumeId, attachmentId) => daemons.endServing(volumeId, attachmentId),
    restore: async (ctx, served, keep) => {
      await daemons.restore(
        ctx,
        served.filter(({ volumeId }) => keep.volumes.has(volumeId)),
      );
      for (const id of await readdir(places.volumes)) {
        if (!keep.volumes.has(id)) await removeAll(places, id, programs);
        else await sweepVolume(places, id);
      }
      for (const id of await readdir(places.snapshots))
        if (!keep.snapshots.has(id)) await rm(places.snapshot(id), { force: true });
      for (const id of await readdir(places.incomingFolder)) await rm(places.incoming(id), { force: true });
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(places.root);
      return bavail * bsize;
    },
    close: () => daemons.close(),
  };
}

/** Copies and drafts that a crash left. */
async function sweepVolume(places: Places, id: string): Promise<void> {
  for (const name of await readdir(places.volume(id)))
    if (name !== "disk") await rm(join(places.volume(id), name), { force: true });
}

async function removeAll(places: Places, id: string, programs: CagedPrograms): Promise<void> {
  for (const [path] of foldersOf(places, id)) await rm(path, { recursive: true, force: true });
  for (const path of [places.record(id), places.log(id)]) await rm(path, { force: true });
  programs.releaseUser(places.volume(id));
}
