import type { ReadDiskRequest } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { ReadDiskResponse } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { CommonErrors, FairSlots } from "../../kernel/index.js";
import { systemClock } from "../../platform/process/index.js";
import type { Driver } from "../driver.js";
import { DriverErrors } from "../drivers/errors.js";

/** Disks that are read here at one time, by all hosts together. */
const MOST_AT_ONCE = 8;
/** Of these, by one host: a slow one leaves room for others. */
const MOST_OF_ONE_HOST = MOST_AT_ONCE / 2;
/** Disks that wait for their turn, for one host each: it may be emptied, and copies take their time. */
const MOST_WAITING = 256;
/** Who takes no piece for so long loses his place. He may read on beside the others. */
const STALLED_MS = 60_000;

/**
 * Gives disks of guests that leave to the agent of the host that they go to. Pieces are read as fast as they
 * are taken, and nothing is kept of a reader who has gone.
 */
export class DiskReaders {
  readonly #driver: Pick<Driver, "openLeavingDisk">;
  readonly #cell: string;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #turns = new FairSlots({
    slots: MOST_AT_ONCE,
    perKey: MOST_OF_ONE_HOST,
    queuePerKey: MOST_WAITING,
  });

  /**
   * @param cell  of this host: others have hosts of the same names
   * @param clock  by which readers are slow
   */
  constructor(
    driver: Pick<Driver, "openLeavingDisk">,
    cell: string,
    clock: Pick<Clock, "sleep"> = systemClock,
  ) {
    this.#driver = driver;
    this.#cell = cell;
    this.#clock = clock;
  }

  /**
   * What the request says of its host must be what the caller's certificate says. Who comes while others
   * read waits for his turn: so many at once in all, and half as many of one host.
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
        yield* this.#taken(leave, {
          offset: BigInt(offset),
          data: bufferOf(data),
          digest: bufferOf(digest),
        });
      yield* this.#taken(leave, { offset: BigInt(sizeBytes), end: true });
    } finally {
      leave();
    }
  }

  /** One answer. @param stalled  called when nobody takes it */
  async *#taken(
    stalled: () => void,
    answer: Parameters<typeof ReadDiskResponse.fromPartial>[0],
  ): AsyncGenerator<ReadDiskResponse> {
    const taken = new AbortController();
    this.#clock.sleep(STALLED_MS, taken.signal).then(stalled, () => undefined);
    try {
      yield ReadDiskResponse.fromPartial(answer);
    } finally {
      taken.abort();
    }
  }

  /** @returns gives the place back; more than once is as once */
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
