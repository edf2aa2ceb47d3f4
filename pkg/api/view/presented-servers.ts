import { LRUCache } from "lru-cache";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import type { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { Server as StoredServer } from "../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { encodeKnown } from "../../platform/rpc/index.js";
import type { HostDirectory } from "../cells/host-directory.js";
import type { ServerMask } from "./server-view.js";
import { presentServer, shownOfHost } from "./server-view.js";

/** A server as its database keeps it. */
export interface StoredRow {
  readonly serverId: string;
  readonly server: Buffer;
}

/** What became of a stored server for one mask. */
interface Presented {
  /** Exactly what it was made of: any other record makes another. */
  readonly stored: Buffer;
  readonly host: string;
  /** State of the host that `bytes` shows. */
  shown?: string;
  bytes?: Uint8Array;
}

/** The cache makes an object for its options with each question that brings none, and lists ask thousands. */
const PLAINLY = {};

/**
 * Servers as lists show them, encoded. An answer is used again only for the same stored bytes, the same mask
 * and the same state of the host: whatever changes makes a new one in the place of the old, so nobody has to
 * be told of changes.
 */
export class PresentedServers {
  readonly #known: LRUCache<string, Presented> | undefined;
  readonly #directory: HostDirectory;

  /** @param maxBytes  of stored and presented servers together; 0 keeps nothing */
  constructor(directory: HostDirectory, maxBytes: number) {
    this.#directory = directory;
    this.#known =
      maxBytes > 0
        ? new LRUCache({
            maxSize: maxBytes,
            sizeCalculation: (one, key) => 300 + key.length + 2 * one.stored.length,
          })
        : undefined;
  }

  /** Presents servers of any number of databases, as `presentServers`. */
  async list(
    ctx: Ctx,
    mask: ServerMask,
    found: readonly { readonly row: StoredRow; readonly database: string }[],
  ): Promise<Uint8Array[]> {
    const prefix = maskKey(mask);
    const known = found.map(({ row, database }) => ({ database, ...this.#of(prefix, row) }));
    const { answers } = await this.#directory.some(ctx, [
      ...new Set(known.flatMap(({ one, database }) => (one.host === "" ? [] : [database]))),
    ]);
    const directories = new Map(answers.map(({ database, value }) => [database, value]));
    const states = new Map<HostService | undefined, string>();
    return known.map(({ one, decoded, database }) => {
      const host = one.host === "" ? undefined : directories.get(database)?.byHost.get(one.host);
      let state = states.get(host);
      if (state === undefined) states.set(host, (state = shownOfHost(host)));
      if (one.bytes === undefined || one.shown !== state) {
        const server = decoded ?? StoredServer.decode(one.stored);
        one.bytes = encodeKnown(Server, presentServer(server, mask, host));
        one.shown = state;
      }
      return one.bytes;
    });
  }

  /** @returns also the server itself where it had to be decoded: nobody need do that again */
  #of(
    prefix: string,
    { serverId, server }: StoredRow,
  ): { readonly one: Presented; readonly decoded?: StoredServer } {
    const key = prefix + serverId;
    const known = this.#known?.get(key, PLAINLY);
    if (known?.stored.equals(server)) return { one: known };
    const decoded = StoredServer.decode(server);
    const fresh: Presented = { stored: server, host: decoded.hostInfo?.host ?? "" };
    this.#known?.set(key, fresh);
    return { one: fresh, decoded };
  }
}

/** All of the mask: a field that is added to it counts from the first day. */
const maskKey = (mask: ServerMask): string => `${JSON.stringify(mask)}:`;
