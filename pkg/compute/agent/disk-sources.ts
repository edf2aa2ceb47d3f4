import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { isRetryable } from "../../kernel/index.js";
import type { Channel } from "../../platform/rpc/index.js";
import type { GuestElsewhere } from "../commands/command.js";
import type { DiskPiece, LeavingDisk } from "../driver.js";
import { DriverErrors } from "../drivers/errors.js";
import type { DiskSources } from "./ports.js";

export interface DiskSourcesDeps {
  /** This host, which the disks go to. */
  readonly host: string;
  /** The agent of a host at an address, and nobody else who answers there. */
  readonly connect: (host: string, address: string) => Channel;
  readonly clock: Pick<Clock, "monotonicMs" | "sleep">;
}

/** A transfer is given up when nothing has come for so long, in so many attempts: its agent may restart. */
const PATIENCE_MS = 300_000;
const FEWEST_ATTEMPTS = 5;
const AGAIN_MS = 1_000;

/**
 * Reads disks from other hosts' agents. One that does not answer, or whose connection breaks, is asked again
 * for what is still missing.
 */
export const diskSources = (deps: DiskSourcesDeps): DiskSources => ({
  read: (ctx, guest, disk, fromByte) => readDisk(ctx, deps, guest, disk, fromByte),
});

async function* readDisk(
  ctx: Ctx,
  { host: toHost, connect, clock }: DiskSourcesDeps,
  { serverId, transferId, host, address }: GuestElsewhere,
  { name: disk, sizeBytes }: LeavingDisk,
  fromByte: number,
): AsyncGenerator<DiskPiece> {
  const broken = (problem: string, cause?: unknown): Error =>
    DriverErrors.TRANSFER_BROKEN({ disk, problem }, { cause });
  const agent = connect(host, address).client(AgentServiceDefinition);
  let at = fromByte;
  let attempts = 0;
  for (let lastMs = clock.monotonicMs(); ; attempts++) {
    const request = { host, serverId, transferId, toHost, disk, fromByte: BigInt(at) };
    let endAt: number | undefined;
    let problem: unknown;
    try {
      for await (const { offset, data, digest, end } of agent.readDisk(ctx, request)) {
        if (end) {
          endAt = Number(offset);
          break;
        }
        at = Number(offset) + data.length;
        yield { offset: Number(offset), data, digest };
        lastMs = clock.monotonicMs();
        attempts = 0;
      }
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      problem = error;
    }
    if (endAt === sizeBytes) return;
    if (endAt !== undefined) throw broken("its length is not what it was");
    if (attempts >= FEWEST_ATTEMPTS && clock.monotonicMs() - lastMs >= PATIENCE_MS)
      throw broken("its host does not answer", problem);
    ctx.log.warn("agent.disk.interrupted", { instanceUuid: serverId, disk, at, error: problem });
    await clock.sleep(AGAIN_MS, ctx.signal);
  }
}
