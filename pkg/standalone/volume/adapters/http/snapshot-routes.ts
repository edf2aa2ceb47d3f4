import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { snapshotStatuses } from "../../domain/model.js";
import { demandAdmin, demandWrite } from "../../domain/policy.js";
import { demandSnapshotable } from "../../domain/states.js";
import { snapshotJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { queueSnapshot } from "../../ops/snapshot-tasks.js";
import type { VolumeParts } from "../../ports.js";
import { demandRoom } from "../sql/quotas.js";
import {
  getSnapshot,
  insertSnapshot,
  listSnapshots,
  snapshotListing,
  updateSnapshot,
} from "../sql/snapshots.js";
import { getVolume } from "../sql/volumes.js";
import { bodyOf, factsOf, idOf, listingOf, nextLink, reply, viewerOf } from "./common.js";
import { flag, metadata, shortText, uuid } from "./fields.js";

const createBody = z.object({
  snapshot: z.strictObject({
    volume_id: uuid,
    name: shortText.nullish(),
    description: shortText.nullish(),
    force: flag.optional(),
    metadata: metadata.nullish(),
  }),
});
const updateBody = z.object({
  snapshot: z.strictObject({ name: shortText.nullish(), description: shortText.nullish() }),
});
const actionBody = z.union([
  z.strictObject({ "os-reset_status": z.strictObject({ status: z.enum(snapshotStatuses) }) }),
  z.strictObject({
    "os-update_snapshot_status": z.object({ status: z.enum(snapshotStatuses) }),
  }),
  z.strictObject({ "os-force_delete": z.unknown() }),
]);
/** From here on snapshots of volumes in use need no force. */
const SINCE_FORCELESS = 66;

export function snapshotRoutes(parts: VolumeParts): Router {
  const { db, clock, ids, limits, work } = parts;
  const router = Router();
  const list = async (ctx: Ctx, req: Request, detailed: boolean): Promise<unknown> => {
    const listing = listingOf(req, snapshotListing);
    const { items, count } = await db.read(ctx, "snapshot.list", (tx) =>
      listSnapshots(tx, ctx.actor, listing),
    );
    return {
      snapshots: items.map((one) => snapshotJson(one, viewerOf(req), detailed)),
      ...nextLink(req, "snapshots", listing, items),
      ...(count === undefined ? {} : { count }),
    };
  };
  router.get(
    "/snapshots",
    reply((ctx, req) => list(ctx, req, false)),
  );
  router.get(
    "/snapshots/detail",
    reply((ctx, req) => list(ctx, req, true)),
  );
  router.post(
    "/snapshots",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:create_snapshot");
      const { snapshot: wish } = bodyOf(req, createBody);
      const forceless = factsOf(req).minor >= SINCE_FORCELESS;
      if (forceless && wish.force === false)
        throw E.INVALID_INPUT({
          reason: "The 'force' flag is invalid since microversion 3.66.",
        });
      work.demandRoom();
      const id = ids.uuid();
      const snapshot = await db.write(ctx, "snapshot.create", async (tx) => {
        const volume = await getVolume(tx, ctx.actor, wish.volume_id);
        demandSnapshotable(volume, forceless || (wish.force ?? false));
        await demandRoom(tx, volume.projectId, { what: "snapshot", gib: volume.sizeGib }, limits);
        await insertSnapshot(tx, {
          id,
          name: wish.name ?? "",
          description: wish.description ?? "",
          volumeId: volume.id,
          projectId: volume.projectId,
          userId: ctx.actor.userId,
          sizeGib: volume.sizeGib,
          status: "creating",
          task: { kind: "create" },
          metadata: wish.metadata ?? {},
          createdAt: clock.now(),
          updatedAt: clock.now(),
        });
        return getSnapshot(tx, ctx.actor, id);
      });
      queueSnapshot(parts, id);
      return { snapshot: snapshotJson(snapshot, viewerOf(req), false) };
    }, 202),
  );
  router.get(
    "/snapshots/:id",
    reply(async (ctx, req) => ({
      snapshot: snapshotJson(
        await db.statement(ctx, "snapshot.get", (tx) => getSnapshot(tx, ctx.actor, idOf(req))),
        viewerOf(req),
        true,
      ),
    })),
  );
  router.put(
    "/snapshots/:id",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:update_snapshot");
      const { snapshot: wish } = bodyOf(req, updateBody);
      const snapshot = await db.write(ctx, "snapshot.update", async (tx) => {
        const { id } = await getSnapshot(tx, ctx.actor, idOf(req));
        const edits = {
          ...(typeof wish.name === "string" ? { name: wish.name } : {}),
          ...(typeof wish.description === "string" ? { description: wish.description } : {}),
        };
        await updateSnapshot(tx, id, edits, clock.now());
        return getSnapshot(tx, ctx.actor, id);
      });
      return { snapshot: snapshotJson(snapshot, viewerOf(req), false) };
    }),
  );
  const remove = async (ctx: Ctx, id: string, force: boolean): Promise<void> => {
    demandWrite(ctx.actor, "volume:delete_snapshot");
    work.demandRoom();
    await db.write(ctx, "snapshot.delete", async (tx) => {
      const { status } = await getSnapshot(tx, ctx.actor, id);
      if (!force && !["available", "error", "error_deleting"].includes(status))
        throw E.INVALID_SNAPSHOT({
          reason: "Snapshot status must be available or error or error_deleting.",
        });
      await updateSnapshot(tx, id, { status: "deleting", task: { kind: "delete" } }, clock.now());
    });
    queueSnapshot(parts, id);
  };
  router.delete(
    "/snapshots/:id",
    reply((ctx, req) => remove(ctx, idOf(req), false), 202),
  );
  router.post(
    "/snapshots/:id/action",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, actionBody);
      if ("os-force_delete" in wish) {
        demandAdmin(ctx.actor, "volume_extension:snapshot_admin_actions:force_delete");
        return remove(ctx, idOf(req), true);
      }
      demandAdmin(ctx.actor, "volume_extension:snapshot_admin_actions:reset_status");
      const { status } =
        "os-reset_status" in wish ? wish["os-reset_status"] : wish["os-update_snapshot_status"];
      await db.write(ctx, "snapshot.status", async (tx) => {
        const { id } = await getSnapshot(tx, ctx.actor, idOf(req));
        await updateSnapshot(tx, id, { status }, clock.now());
      });
      return undefined;
    }, 202),
  );
  return router;
}
