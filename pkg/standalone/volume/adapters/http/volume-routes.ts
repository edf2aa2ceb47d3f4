import { Router } from "express";
import { z } from "zod";
import { lastOf, queryOf } from "../../../../platform/http/index.js";
import { demandWrite, isAdmin } from "../../domain/policy.js";
import { demandDeletable } from "../../domain/states.js";
import { changedVolumeJson, volumeJson, volumeSummary } from "../../domain/views.js";
import { E } from "../../errors.js";
import { newVolume } from "../../ops/new-volume.js";
import { queueVolume } from "../../ops/volume-tasks.js";
import type { VolumeParts } from "../../ports.js";
import { snapshotsOf, updateSnapshot } from "../sql/snapshots.js";
import { typeByNameOrId } from "../sql/types.js";
import { getVolume, listVolumes, updateVolume, volumeListing } from "../sql/volumes.js";
import { bodyOf, factsOf, idOf, listingOf, nextLink, reply, viewerOf } from "./common.js";
import { flag, gib, metadata, shortText, uuid } from "./fields.js";
import type { Ctx } from "../../../../kernel/index.js";
import type { Request } from "express";

const maybe = <T extends z.ZodType>(schema: T) => schema.nullish();
/** Clients send "" for what they do not want. */
const maybeText = z
  .string()
  .max(255)
  .nullish()
  .transform((text) => (text === null || text === "" ? undefined : text));
/** An image by its id, or by its address. */
const imageRef = z
  .string()
  .max(1_024)
  .transform((text) => text.split("/").at(-1) ?? "")
  .pipe(uuid);

const createBody = z.looseObject({
  // As Cinder, which takes what it does not know.
  volume: z.looseObject({
    name: maybe(shortText),
    description: maybe(shortText),
    size: maybe(gib),
    availability_zone: maybeText,
    volume_type: maybeText,
    imageRef: maybe(imageRef),
    image_id: maybe(imageRef),
    snapshot_id: maybe(uuid),
    source_volid: maybe(uuid),
    metadata: maybe(metadata),
    multiattach: maybe(flag),
    backup_id: z.null({ error: "backups are not served" }).optional(),
    group_id: z.null({ error: "groups are not served" }).optional(),
    consistencygroup_id: z.null({ error: "consistency groups are not served" }).optional(),
  }),
});

const updateBody = z.object({
  volume: z.strictObject({
    name: maybe(shortText),
    description: maybe(shortText),
    display_name: maybe(shortText),
    display_description: maybe(shortText),
    metadata: maybe(metadata),
  }),
});

/** A volume's list, one, making, changing, deleting. */
export function volumeRoutes(parts: VolumeParts): Router {
  const { db, clock, work } = parts;
  const router = Router();
  const list = async (ctx: Ctx, req: Request, detailed: boolean): Promise<unknown> => {
    const listing = listingOf(req, volumeListing);
    const wish = lastOf(queryOf(req), "volume_type") ?? lastOf(queryOf(req), "volume_type_id");
    const { items, count } = await db.read(ctx, "volume.list", async (tx) => {
      const type = wish === undefined ? undefined : await typeByNameOrId(tx, ctx.actor, wish);
      return listVolumes(tx, ctx.actor, listing, type?.id);
    });
    const viewer = viewerOf(req);
    return {
      volumes: items.map((volume) => (detailed ? volumeJson : volumeSummary)(volume, viewer)),
      ...nextLink(req, "volumes", listing, items),
      ...(count === undefined ? {} : { count }),
    };
  };
  router.get(
    "/volumes",
    reply((ctx, req) => list(ctx, req, false)),
  );
  router.get(
    "/volumes/detail",
    reply((ctx, req) => list(ctx, req, true)),
  );
  router.post(
    "/volumes",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:create");
      const { volume: wish } = bodyOf(req, createBody);
      if (wish.multiattach) throw E.MULTIATTACH_PARAMETER({});
      const volume = await newVolume(parts, ctx, {
        name: wish.name ?? "",
        description: wish.description ?? "",
        size: wish.size ?? undefined,
        type: wish.volume_type,
        zone: wish.availability_zone,
        imageId: wish.imageRef ?? wish.image_id ?? undefined,
        snapshotId: wish.snapshot_id ?? undefined,
        sourceVolid: wish.source_volid ?? undefined,
        metadata: wish.metadata ?? {},
      });
      return { volume: changedVolumeJson(volume, viewerOf(req)) };
    }, 202),
  );
  router.get(
    "/volumes/:id",
    reply(async (ctx, req) => ({
      volume: volumeJson(
        await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, idOf(req))),
        viewerOf(req),
      ),
    })),
  );
  router.put(
    "/volumes/:id",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:update");
      const { volume: wish } = bodyOf(req, updateBody);
      const name = wish.name ?? wish.display_name;
      const description = wish.description ?? wish.display_description;
      const volume = await db.write(ctx, "volume.update", async (tx) => {
        const { id } = await getVolume(tx, ctx.actor, idOf(req));
        await updateVolume(
          tx,
          id,
          {
            ...(typeof name === "string" ? { name } : {}),
            ...(typeof description === "string" ? { description } : {}),
            ...(wish.metadata ? { metadata: wish.metadata } : {}),
          },
          clock.now(),
        );
        return getVolume(tx, ctx.actor, id);
      });
      return { volume: changedVolumeJson(volume, viewerOf(req)) };
    }),
  );
  const remove = async (
    ctx: Ctx,
    id: string,
    { force, cascade }: { readonly force: boolean; readonly cascade: boolean },
  ): Promise<void> => {
    demandWrite(ctx.actor, "volume:delete");
    work.demandRoom();
    await db.write(ctx, "volume.delete", async (tx) => {
      const volume = await getVolume(tx, ctx.actor, id);
      const found = await snapshotsOf(tx, id);
      demandDeletable(volume, { force, hasSnapshots: found.length > 0 && !cascade });
      if (found.some(({ status }) => !force && !["available", "error", "deleting"].includes(status)))
        throw E.INVALID_VOLUME({ reason: "Failed to update snapshot." });
      for (const snapshot of found)
        await updateSnapshot(tx, snapshot.id, { status: "deleting", task: { kind: "delete" } }, clock.now());
      await updateVolume(tx, id, { status: "deleting", task: { kind: "delete" } }, clock.now());
    });
    // Its work takes the snapshots along.
    queueVolume(parts, id);
  };
  router.delete(
    "/volumes/:id",
    reply(async (ctx, req) => {
      const query = queryOf(req);
      const yes = (name: string): boolean => /^(true|1|yes|on|t|y)$/i.test(lastOf(query, name) ?? "");
      const force = factsOf(req).minor >= 23 && yes("force");
      if (force && !isAdmin(ctx.actor)) throw E.FORBIDDEN({ action: "volume:force_delete" });
      await remove(ctx, idOf(req), { force, cascade: yes("cascade") });
    }, 202),
  );
  router.get(
    "/volumes/:id/encryption",
    reply(async (ctx, req) => {
      await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, idOf(req)));
      return {};
    }),
  );
  router.get(
    "/volumes/:id/encryption/:key",
    reply(async (ctx, req) => {
      await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, idOf(req)));
      return undefined;
    }),
  );
  return router;
}
