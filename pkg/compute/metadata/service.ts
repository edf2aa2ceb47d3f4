import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Ctx } from "../../kernel/index.js";
import { buildMetadataTree } from "../guestdata/index.js";
import type { GuestData } from "../guestdata/index.js";
import { plain } from "./answers.js";
import type { MetadataAnswer } from "./answers.js";
import { answerPassword } from "./password.js";
import { normalPath } from "./path.js";
import type { GuestDataSource } from "./ports.js";

/** A request of which is known whose it is. */
export interface MetadataQuestion {
  readonly instanceUuid: string;
  /** When given, the guest must belong to it. */
  readonly projectId?: string;
  readonly method: string;
  /** Path as sent; a query is ignored. */
  readonly path: string;
  readonly body: Uint8Array;
}

/** Answers guests' metadata requests, however they came in. */
export interface MetadataService {
  /** @throws whatever the source throws; the edge makes it a 500 */
  answer(ctx: Ctx, question: MetadataQuestion): Promise<MetadataAnswer>;
}

const cachedGuests = 500;
const randomSeedBytes = 512;

type Tree = ReadonlyMap<string, Uint8Array>;
interface Guest {
  readonly data: GuestData;
  readonly generation: bigint;
}

/**
 * @cost a tree of documents per guest and change; asking again costs a look-up in the source and one in the
 *   tree
 */
export function metadataService(source: GuestDataSource): MetadataService {
  const trees = new LRUCache<string, { generation: bigint; tree: Tree }>({ max: cachedGuests });
  const treeOf = (guest: Guest): Tree => {
    const known = trees.get(guest.data.uuid);
    if (known?.generation === guest.generation) return known.tree;
    const tree = build(guest.data);
    trees.set(guest.data.uuid, { generation: guest.generation, tree });
    return tree;
  };
  return {
    answer: async (ctx, question) => {
      const guest = await source.guestData(ctx, question.instanceUuid);
      if (guest === undefined) return plain(404);
      if (question.projectId !== undefined && question.projectId !== guest.data.projectId) return plain(404);
      const path = normalPath(question.path);
      const tree = treeOf(guest);
      const known = tree.get(path);
      if (
        known !== undefined &&
        path.endsWith("/password") &&
        question.method !== "GET" &&
        question.method !== "HEAD"
      ) {
        return answerPassword(ctx, source, guest.data, question);
      }
      const document = madeAtReading.test(path)
        ? build(await atReading(ctx, source, guest.data, path)).get(path)
        : known;
      return document === undefined
        ? plain(404)
        : { status: 200, headers: { "content-type": contentType(path) }, body: document };
    },
  };
}

const build = (data: GuestData): Tree => buildMetadataTree(data, randomBytes(randomSeedBytes));

/**
 * meta_data.json holds a random seed that no two readings may share; vendor data may change without the
 * guest.
 */
const madeAtReading = /^\/openstack\/[^/]+\/(meta_data|vendor_data2?)\.json$/;

async function atReading(
  ctx: Ctx,
  source: GuestDataSource,
  data: GuestData,
  path: string,
): Promise<GuestData> {
  if (!path.includes("/vendor_data")) return data;
  return {
    ...data,
    ...(await source.vendorData(ctx, data.uuid, { dynamic: path.endsWith("/vendor_data2.json") })),
  };
}

const contentType = (path: string): string =>
  path.endsWith(".json") ? "application/json" : "text/plain; charset=UTF-8";
