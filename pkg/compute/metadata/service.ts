import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Ctx } from "../../kernel/index.js";
import { buildMetadataTree } from "../guestdata/index.js";
import type { GuestData } from "../guestdata/index.js";
import { plain } from "./answers.js";
import type { MetadataAnswer } from "./answers.js";
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

/** Nova keeps a posted password in four pieces of at most 255 characters. */
const maxPasswordBytes = 4 * 255;
const cachedGuests = 500;
const randomSeedBytes = 512;
const passwordPath = /^\/openstack\/[^/]+\/password$/;

type Tree = ReadonlyMap<string, Uint8Array>;

/** @cost a tree of documents per guest and change; asking again costs a look-up in the source and one in the tree */
export function metadataService(source: GuestDataSource): MetadataService {
  const trees = new LRUCache<string, { generation: bigint; tree: Tree }>({ max: cachedGuests });
  const treeOf = (guest: { data: GuestData; generation: bigint }): Tree => {
    const known = trees.get(guest.data.uuid);
    if (known?.generation === guest.generation) return known.tree;
    const tree = buildMetadataTree(guest.data, randomBytes(randomSeedBytes));
    trees.set(guest.data.uuid, { generation: guest.generation, tree });
    return tree;
  };
  return {
    answer: async (ctx, question) => {
      const guest = await source.guestData(ctx, question.instanceUuid);
      if (guest === undefined) return plain(404);
      if (question.projectId !== undefined && question.projectId !== guest.data.projectId) return plain(404);
      const path = normalPath(question.path);
      const isPassword = passwordPath.test(path) && treeOf(guest).has(path);
      if (isPassword && question.method !== "GET" && question.method !== "HEAD") return answerPassword(ctx, source, guest.data, question);
      // meta_data.json holds a random seed that no two readings may share.
      const tree = path.endsWith("/meta_data.json") ? buildMetadataTree(guest.data, randomBytes(randomSeedBytes)) : treeOf(guest);
      const document = tree.get(path);
      return document === undefined ? plain(404) : { status: 200, headers: { "content-type": contentType(path) }, body: document };
    },
  };
}

const contentType = (path: string): string => (path.endsWith(".json") ? "application/json" : "text/plain; charset=UTF-8");

/** The one thing a guest can tell: its own password, encrypted to the user's key. @source nova, os-server-password */
async function answerPassword(ctx: Ctx, source: GuestDataSource, guest: GuestData, question: MetadataQuestion): Promise<MetadataAnswer> {
  if (question.method !== "POST") return plain(400);
  if (question.body.length > maxPasswordBytes) return plain(400, "Password is too long.");
  if (guest.password !== undefined && guest.password !== "") return plain(409);
  if (source.savePassword === undefined) return plain(501);
  return (await source.savePassword(ctx, question.instanceUuid, question.body)) ? plain(200, "") : plain(409);
}
