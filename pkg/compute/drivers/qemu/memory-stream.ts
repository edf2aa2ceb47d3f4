import { createReadStream } from "node:fs";
import { chmod, chown, open, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import type { Ctx } from "../../../kernel/index.js";
import { whenAborted } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "../host/run-as.js";

/** So long nothing may come, or be taken, before the other end counts as stuck. */
const SILENCE_MS = 60_000;
const CONNECT_MS = 10_000;
const TAKING = "hand over the guest's memory";
const GIVING = "take the guest's memory";

/** Told after each piece how many bytes have passed. */
export type Passed = (bytes: number) => void;

/** A socket at which one guest's QEMU hands its memory over. */
export interface MemoryDoor {
  /**
   * Writes what comes to a file, and it to the disk, until the other end hangs up; whether it was all, only
   * QEMU knows.
   * @returns how many bytes there were
   * @throws NO_ROOM_FOR_MEMORY when the disk is full, HYPERVISOR_SILENT, HYPERVISOR_FAILED when more comes
   *   than `limitBytes`, the reason of `ctx.signal`
   */
  receive(ctx: Ctx, to: string, limitBytes: number, passed: Passed): Promise<number>;
  close(): Promise<void>;
}

/** @param user  who may knock; undefined: the agent's own */
export async function openMemoryDoor(path: string, user: RunAs | undefined): Promise<MemoryDoor> {
  await rm(path, { force: true });
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  try {
    await chmod(path, 0o600);
    if (user) await chown(path, user.uid, user.gid);
  } catch (error) {
    server.close();
    throw error;
  }
  let taken: Socket | undefined;
  const arrived = new Promise<Socket>((resolve, reject) => {
    const timer = setTimeout(() => reject(DriverErrors.HYPERVISOR_SILENT({ step: TAKING })), CONNECT_MS);
    server.on("connection", (socket) => {
      if (taken) return void socket.destroy();
      taken = socket;
      clearTimeout(timer);
      resolve(socket);
    });
    server.on("close", () => clearTimeout(timer));
  });
  arrived.catch(() => {});
  return {
    async receive(ctx, to, limitBytes, passed) {
      const socket = await arrived;
      const letGo = endedBy(ctx, socket, TAKING);
      const file = await open(to, "w", 0o600);
      let bytes = 0;
      try {
        for await (const chunk of socket as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > limitBytes) throw DriverErrors.HYPERVISOR_FAILED({ step: TAKING });
          await file.writeFile(chunk);
          passed(bytes);
        }
        ctx.signal.throwIfAborted();
        await file.sync();
        return bytes;
      } catch (error) {
        ctx.signal.throwIfAborted();
        throw (error as NodeJS.ErrnoException).code === "ENOSPC"
          ? DriverErrors.NO_ROOM_FOR_MEMORY(inMib(limitBytes, bytes), { cause: error })
          : error;
      } finally {
        letGo();
        await file.close();
      }
    },
    async close() {
      taken?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(path, { force: true });
    },
  };
}

/** For people: how much is needed, and how much there is. */
export const inMib = (needBytes: number, freeBytes: number): { needMib: number; freeMib: number } => ({
  needMib: Math.ceil(needBytes / 1024 ** 2),
  freeMib: Math.floor(freeBytes / 1024 ** 2),
});

/**
 * Hands a file to the QEMU that listens there. @throws HYPERVISOR_SILENT, the socket's own error when it
 * hangs up first, the reason of `ctx.signal`
 */
export async function feedMemory(ctx: Ctx, from: string, path: string, passed: Passed): Promise<void> {
  const socket = connect(path);
  const letGo = endedBy(ctx, socket, GIVING);
  const hungUp = new Promise<never>((_, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(DriverErrors.MONITOR_CLOSED({ step: GIVING })));
  });
  hungUp.catch(() => {});
  try {
    let bytes = 0;
    for await (const chunk of createReadStream(from) as AsyncIterable<Buffer>) {
      await Promise.race([hungUp, taken((done) => socket.write(chunk, done))]);
      passed((bytes += chunk.length));
    }
    // It hangs up as soon as it has all, perhaps before we do: that is no failure.
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw error;
  } finally {
    letGo();
    socket.destroy();
  }
}

const taken = (give: (done: (error?: Error | null) => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => void give((error) => (error ? reject(error) : resolve())));

/** Ends the conversation when the work is given up, or the other end is stuck. @returns stops looking */
function endedBy({ signal }: Ctx, socket: Socket, step: string): () => void {
  const onAbort = (): void => void socket.destroy(signal.reason as Error);
  // Whoever reads or writes is told; in between nobody listens.
  socket.on("error", () => {});
  const leave = whenAborted(signal, onAbort);
  socket.setTimeout(SILENCE_MS, () => socket.destroy(DriverErrors.HYPERVISOR_SILENT({ step })));
  return leave;
}
