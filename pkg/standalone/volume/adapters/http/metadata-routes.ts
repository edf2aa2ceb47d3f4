import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { pathOf } from "../../../../platform/http/index.js";
import { demandWrite } from "../../domain/policy.js";
import { E } from "../../errors.js";
import type { VolumeParts } from "../../ports.js";
import { getSnapshot, updateSnapshot } from "../sql/snapshots.js";
import { getVolume, updateVolume } from "../sql/volumes.js";
import { bodyOf, idOf, reply } from "./common.js";
import { metadata } from "./fields.js";

type Pairs = Readonly<Record<string, string>>;

const manyBody = z.object({ metadata });
const oneBody = z.object({ meta: metadata });

/** Metadata of volumes and of snapshots. */
export function metadataRoutes({ db, clock }: VolumeParts): Router {
  const router = Router();
  const kinds = [
    [
      "volumes",
      (ctx: Ctx, id: string, edit: (pairs: Pairs) => Pairs) =>
        db.write(ctx, "volume.metadata", async (tx) => {
          const before = await getVolume(tx, ctx.actor, id);
          const after = edit(before.metadata);
          if (after !== before.metadata) await updateVolume(tx, id, { metadata: after }, clock.now());
          return after;
        }),
    ],
    [
      "snapshots",
      (ctx: Ctx, id: string, edit: (pairs: Pairs) => Pairs) =>
        db.write(ctx, "snapshot.metadata", async (tx) => {
          const before = await getSnapshot(tx, ctx.actor, id);
          const after = edit(before.metadata);
          if (after !== before.metadata) await updateSnapshot(tx, id, { metadata: after }, clock.now());
          return after;
        }),
    ],
  ] as const;
  for (const [path, change] of kinds) {
    const write = (ctx: Ctx, req: Request, edit: (pairs: Pairs) => Pairs): Promise<Pairs> => {
      demandWrite(ctx.actor, `${path.slice(0, -1)}:update_metadata`);
      return change(ctx, idOf(req), (pairs) => bounded(edit(pairs)));
    };
    const read = (ctx: Ctx, req: Request): Promise<Pairs> => change(ctx, idOf(req), (pairs) => pairs);
    router.get(
      `/${path}/:id/metadata`,
      reply(async (ctx, req) => ({ metadata: await read(ctx, req) })),
    );
    router.post(
      `/${path}/:id/metadata`,
      reply(async (ctx, req) => {
        const wish = bodyOf(req, manyBody).metadata;
        return { metadata: await write(ctx, req, (pairs) => ({ ...pairs, ...wish })) };
      }),
    );
    router.put(
      `/${path}/:id/metadata`,
      reply(async (ctx, req) => {
        const wish = bodyOf(req, manyBody).metadata;
        return { metadata: await write(ctx, req, () => wish) };
      }),
    );
    router.get(
      `/${path}/:id/metadata/:key`,
      reply(async (ctx, req) => {
        const key = pathOf(req, "key");
        return { meta: { [key]: demandKey(await read(ctx, req), req, key) } };
      }),
    );
    router.put(
      `/${path}/:id/metadata/:key`,
      reply(async (ctx, req) => {
        const key = pathOf(req, "key");
        const { meta } = bodyOf(req, oneBody);
        if (Object.keys(meta).length !== 1 || !Object.hasOwn(meta, key))
          throw E.INVALID_FIELD({
            field: "meta",
            problem: "Request body and URI mismatch",
          });
        await write(ctx, req, (pairs) => ({ ...pairs, ...meta }));
        return { meta };
      }),
    );
    router.delete(
      `/${path}/:id/metadata/:key`,
      reply(async (ctx, req) => {
        const key = pathOf(req, "key");
        await write(ctx, req, (pairs) => {
          demandKey(pairs, req, key);
          return Object.fromEntries(Object.entries(pairs).filter(([name]) => name !== key));
        });
      }),
    );
  }
  return router;
}

function demandKey(pairs: Pairs, req: Request, key: string): string {
  const value = Object.hasOwn(pairs, key) ? pairs[key] : undefined;
  if (value === undefined) throw E.METADATA_NOT_FOUND({ id: idOf(req), key });
  return value;
}

/** What came together over several requests has the bound of one. @throws INVALID_FIELD */
function bounded(pairs: Pairs): Pairs {
  const checked = metadata.safeParse(pairs);
  if (checked.success) return pairs;
  throw E.INVALID_FIELD({
    field: "metadata",
    problem: checked.error.issues[0]?.message ?? "malformed",
  });
}
