import type { Request, Response, Router } from "express";
import { z } from "zod";
import type { Actor, Ctx } from "../../../../kernel/index.js";
import { baseUrlOf, ctxOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import type { Database } from "../../../../platform/db/index.js";
import type { Kysely, Transaction } from "kysely";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import { pickFields, readListing } from "../../domain/listing.js";
import type { Standard } from "../../domain/model.js";
import { demandOwner, isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import type { NetworkParts } from "../../ports.js";
import type { NetworkTables } from "../sql/tables.js";

type Json = Readonly<Record<string, unknown>>;

/** One handler: what it returns is sent, `undefined` as an empty 204. */
export const reply =
  (handler: (ctx: Ctx, req: Request, res: Response) => Promise<unknown>, status = 200) =>
  async (req: Request, res: Response): Promise<void> => {
    const body = await handler(ctxOf(req), req, res);
    if (res.headersSent) return;
    if (body === undefined) res.status(204).end();
    else res.status(status).json(body);
  };

/** Reads `{"<name>": {…}}`, refusing attributes nobody knows. @throws BAD_REQUEST, INVALID_INPUT */
export function bodyOf<S extends z.ZodType>(req: Request, name: string, schema: S): z.output<S> {
  const body: unknown = req.body;
  const inner =
    typeof body === "object" && body !== null && Object.hasOwn(body, name) ? (body as Json)[name] : undefined;
  if (inner === undefined)
    throw E.BAD_REQUEST({ resource: name, problem: `Unable to find '${name}' in request body` });
  const result = schema.safeParse(inner);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === "unrecognized_keys")
    throw E.BAD_REQUEST({ resource: name, problem: `Unrecognized attribute(s) '${issue.keys.join(", ")}'` });
  throw E.INVALID_INPUT({
    problem: `${issue?.path.map(String).join(".") || name}: ${issue?.message ?? "malformed"}`,
  });
}

/** One kind of resource, as far as all kinds are read alike. */
export interface Readable<T extends { readonly id: string }> {
  readonly one: string;
  readonly many: string;
  readonly path: string;
  readonly spec: ListingSpec;
  readonly list: (db: Kysely<NetworkTables>, actor: Actor, listing: Listing) => Promise<T[]>;
  readonly get: (db: Kysely<NetworkTables>, actor: Actor, id: string) => Promise<T>;
  readonly json: (item: T, trusted: boolean) => Json;
  /** Whether `get`, and `list` without a marker, send one statement, which needs no transaction around it. */
  readonly single?: true;
}

/** Mounts GET of the list (filters, fields, sorting, paging with links) and of one. */
export function mountReads<T extends { readonly id: string }>(
  router: Router,
  db: Database<NetworkTables>,
  kind: Readable<T>,
): void {
  router.get(
    `/v2.0/${kind.path}`,
    reply(async (ctx, req) => {
      const listing = readListing(queryOf(req), kind.spec);
      const read = kind.single && listing.marker === undefined ? db.statement : db.read;
      const items = await read(ctx, `network.${kind.many}`, (tx) => kind.list(tx, ctx.actor, listing));
      const trusted = isTrusted(ctx.actor);
      return {
        [kind.many]: items.map((item) => pickFields(kind.json(item, trusted), listing.fields)),
        ...pageLinks(req, kind.many, listing, items),
      };
    }),
  );
  router.get(
    `/v2.0/${kind.path}/:id`,
    reply(async (ctx, req) => {
      const fields = (queryOf(req).get("fields") ?? []).flatMap((field) => field.split(","));
      const item = await (kind.single ? db.statement : db.read)(ctx, `network.${kind.one}`, (tx) =>
        kind.get(tx, ctx.actor, idOf(req)),
      );
      return { [kind.one]: pickFields(kind.json(item, isTrusted(ctx.actor)), fields) };
    }),
  );
}

type Tx = Transaction<NetworkTables>;

/** One kind of resource, as far as all kinds are changed alike. */
export interface Changeable<T extends Standard> {
  readonly one: string;
  readonly get: (db: Kysely<NetworkTables>, actor: Actor, id: string) => Promise<T>;
  /** Stores the resource, and what follows from the change. */
  readonly update: (tx: Tx, next: T, before: T, ctx: Ctx) => Promise<void>;
}

/** Changes a resource of the caller's in one transaction, as what `edit` makes of it in a new revision. */
export const changer =
  <T extends Standard>(
    { db, clock }: Pick<NetworkParts, "db" | "clock">,
    { one, get, update }: Changeable<T>,
  ) =>
  (ctx: Ctx, id: string, edit: (before: T, tx: Tx) => Partial<T> | Promise<Partial<T>>): Promise<T> =>
    db.write(ctx, `${one}.update`, async (tx) => {
      const before = await get(tx, ctx.actor, id);
      demandOwner(ctx.actor, before.projectId, `update_${one}`);
      const edits = await edit(before, tx);
      const next = { ...before, ...edits, revision: before.revision + 1, updatedAt: clock.now() };
      await update(tx, next, before, ctx);
      return next;
    });

/** One kind of resource, as far as all kinds are deleted alike. */
export interface Removable<T extends { readonly projectId: string }> {
  readonly one: string;
  readonly path: string;
  readonly get: (db: Kysely<NetworkTables>, actor: Actor, id: string) => Promise<T>;
  readonly remove: (tx: Tx, id: string) => Promise<void>;
  /** Throws where the owner may not delete it. */
  readonly check?: (actor: Actor, item: T) => void;
  /** Once it is gone for good. */
  readonly after?: (ctx: Ctx, gone: T) => Promise<void>;
}

/** Mounts DELETE of one. */
export function mountDelete<T extends { readonly projectId: string }>(
  router: Router,
  db: Database<NetworkTables>,
  { one, path, get, remove, check, after }: Removable<T>,
): void {
  router.delete(
    `/v2.0/${path}/:id`,
    reply(async (ctx, req) => {
      const id = idOf(req);
      const gone = await db.write(ctx, `${one}.delete`, async (tx) => {
        const item = await get(tx, ctx.actor, id);
        demandOwner(ctx.actor, item.projectId, `delete_${one}`);
        check?.(ctx.actor, item);
        await remove(tx, id);
        return item;
      });
      await after?.(ctx, gone);
    }),
  );
}

/** What `mountTags` needs of a kind of resource. */
export interface Tagged<T extends { readonly tags: readonly string[] }> {
  readonly path: string;
  readonly get: (db: Kysely<NetworkTables>, actor: Actor, id: string) => Promise<T>;
  /** Stores what `edit` makes of the tags. */
  readonly change: (
    ctx: Ctx,
    id: string,
    edit: (tags: readonly string[]) => string[],
  ) => Promise<readonly string[]>;
}

/** Mounts reading and changing of tags. */
export function mountTags<T extends { readonly tags: readonly string[] }>(
  router: Router,
  db: Database<NetworkTables>,
  { path, get, change }: Tagged<T>,
): void {
  const tag = z.string().min(1).max(255);
  const read = async (ctx: Ctx, req: Request): Promise<readonly string[]> =>
    (await db.read(ctx, `network.${path}.tags`, (tx) => get(tx, ctx.actor, idOf(req)))).tags;
  router.get(
    `/v2.0/${path}/:id/tags`,
    reply(async (ctx, req) => ({ tags: await read(ctx, req) })),
  );
  router.get(
    `/v2.0/${path}/:id/tags/:tag`,
    reply(async (ctx, req) => {
      const name = pathOf(req, "tag");
      if (!(await read(ctx, req)).includes(name)) throw E.TAG_NOT_FOUND({ tag: name });
    }),
  );
  router.put(
    `/v2.0/${path}/:id/tags`,
    reply(async (ctx, req) => {
      const tags = bodyOf(req, "tags", z.array(tag).max(50));
      return { tags: await change(ctx, idOf(req), () => [...new Set(tags)]) };
    }),
  );
  router.delete(
    `/v2.0/${path}/:id/tags`,
    reply(async (ctx, req) => {
      await change(ctx, idOf(req), () => []);
    }),
  );
  router.put(
    `/v2.0/${path}/:id/tags/:tag`,
    reply(async (ctx, req, res) => {
      const name = pathOf(req, "tag");
      if (name.length > 255) throw E.INVALID_INPUT({ problem: "a tag has at most 255 characters" });
      await change(ctx, idOf(req), (tags) => [...new Set([...tags, name])]);
      res.status(201).end();
    }),
  );
  router.delete(
    `/v2.0/${path}/:id/tags/:tag`,
    reply(async (ctx, req) => {
      const name = pathOf(req, "tag");
      await change(ctx, idOf(req), (tags) => {
        if (!tags.includes(name)) throw E.TAG_NOT_FOUND({ tag: name });
        return tags.filter((one) => one !== name);
      });
    }),
  );
}

/** The resource's id, with the `.json` that older clients append taken off. */
export const idOf = (req: Request): string => pathOf(req, "id").replace(/\.json$/, "");

function pageLinks(
  req: Request,
  many: string,
  listing: Listing,
  items: readonly { readonly id: string }[],
): Json {
  if (listing.limit === undefined) return {};
  const link = (rel: "next" | "previous", marker: string | undefined): Json[] => {
    if (marker === undefined) return [];
    const at = req.originalUrl.indexOf("?");
    const params = new URLSearchParams(at < 0 ? "" : req.originalUrl.slice(at + 1));
    params.set("marker", marker);
    params.delete("page_reverse");
    if (rel === "previous") params.set("page_reverse", "True");
    return [{ rel, href: `${baseUrlOf(req)}${req.path}?${params.toString()}` }];
  };
  const full = items.length === listing.limit;
  const links = [
    ...(full || listing.reverse ? link("next", items.at(-1)?.id) : []),
    ...(listing.marker !== undefined && (full || !listing.reverse) ? link("previous", items[0]?.id) : []),
  ];
  return links.length === 0 ? {} : { [`${many}_links`]: links };
}
