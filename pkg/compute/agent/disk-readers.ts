import type { ReadDiskRequest } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { ReadDiskResponse } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors, FairSlots } from "../../kernel/index.js";
import type { Driver } from "../driver.js";
import { DriverErrors } from "../drivers/errors.js";

/** Disks that are read here at one time, by all hosts together. */
const MOST_AT_ONCE = 8;
/** Disks that wait for their turn, for one host each: it may be emptied, and copies take their time. */
const MOST_WAITING = 256;

/**
 * Gives disks of guests that leave to the agent of the host that they go to. Pieces are read as fast as they
 * are taken, and nothing is kept of a reader who has gone.
 */
export class DiskReaders {
  readonly #driver: Pick<Driver, "openLeavingDisk">;
  readonly #cell: string;
  readonly #turns = new FairSlots({
    slots: MOST_AT_ONCE,
    perKey: MOST_AT_ONCE,
    queuePerKey: MOST_WAITING,
  });

  /** @param cell  of this host: others have hosts of the same names */
  constructor(driver: Pick<Driver, "openLeavingDisk">, cell: string) {
    this.#driver = driver;
    this.#cell = cell;
  }

  /**
   * What the request says of its host must be what the caller's certificate says. Who comes while others
   * read waits for his turn.
   * @throws TRANSFER_UNKNOWN, INVALID_ARGUMENT; UNAVAILABLE when too many wait
   */
  async *read(ctx: Ctx, request: ReadDiskRequest): AsyncGenerator<ReadDiskResponse> {
    const { serverId, transferId, toHost, disk, fromByte } = request;
    const { service, host, cell } = ctx.peer;
    const isOwn = service === "compute" && host !== "" && host === toHost && cell === this.#cell;
    if (!isOwn || this.#driver.openLeavingDisk === undefined) throw DriverErrors.TRANSFER_UNKNOWN({});
    const leave = await this.#enter(ctx, toHost);
    try {
      const { sizeBytes, pieces } = await this.#driver.openLeavingDisk(
        ctx,
        serverId,
        { transferId, toHost },
        disk,
        Number(fromByte),
      );
      for await (const { offset, data, digest } of pieces)
        yield ReadDiskResponse.fromPartial({
          offset: BigInt(offset),
          data: bufferOf(data),
          digest: bufferOf(digest),
        });
      yield ReadDiskResponse.fromPartial({ offset: BigInt(sizeBytes), end: true });
    } finally {
      leave();
    }
  }

  /** @returns gives the place back */
  async #enter({ signal }: Ctx, host: string): Promise<() => void> {
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const full = (): Error => CommonErrors.UNAVAILABLE({ what: "The host's turn to send disks" });
    await new Promise<void>((entered, refused) => {
      const turn = async (): Promise<void> => {
        entered();
        await left;
      };
      this.#turns.run(host, signal, full, turn).catch(refused);
    });
    return leave;
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
