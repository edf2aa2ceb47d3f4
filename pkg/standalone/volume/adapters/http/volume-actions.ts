import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { demandFits, uploadFormats } from "../../domain/image-rules.js";
import { volumeStatuses } from "../../domain/model.js";
import type { Volume } from "../../domain/model.js";
import { demandAdmin, demandWrite } from "../../domain/policy.js";
import {
  demandDeletable,
  demandExtendable,
  demandReimageable,
  demandUploadable,
  transitions,
} from "../../domain/states.js";
import { E } from "../../errors.js";
import { isService, release } from "../../ops/attaching.js";
import { attachNow, connectWithoutServer } from "../../ops/old-attaching.js";
import { uploadToImage } from "../../ops/upload-image.js";
import { queueVolume } from "../../ops/volume-tasks.js";
import type { VolumeParts } from "../../ports.js";
import { demandRoom } from "../sql/quotas.js";
import { snapshotsOf } from "../sql/snapshots.js";
import type { VolumeChange } from "../sql/volumes.js";
import { getVolume, updateVolume } from "../sql/volumes.js";
import { bodyOf, factsOf, idOf, reply } from "./common.js";
import { MAX_PAIRS, connector, flag, gib, metadata, uuid } from "./fields.js";
import { demandMinor } from "../../domain/microversion.js";

const IN_USE_EXTEND = 42;
const UPLOAD_PARAMS = 1;
const REIMAGE = 68;

/** One handler of an action: its body's shape, and what it does. */
interface Action<S extends z.ZodType = z.ZodType> {
  readonly body: S;
  readonly status?: number;
  readonly run: (ctx: Ctx, req: Request, wish: z.output<S>) => Promise<unknown>;
}
const action = <S extends z.ZodType>(one: Action<S>): Action<S> => one;

const nothing = z.union([z.null(), z.strictObject({})]);
const imageName = z.string().max(255).pipe(z.string().min(1));

/** `POST /volumes/{id}/action`: one key, which says what to do. */
export function volumeActions(parts: VolumeParts): Router {
  const { db, clock, images, limits, work } = parts;
  const router = Router();
  const change = (ctx: Ctx, req: Request, edit: (volume: Volume) => VolumeChange): Promise<void> =>
    db.write(ctx, "volume.action", async (tx) => {
      const volume = await getVolume(tx, ctx.actor, idOf(req));
      await updateVolume(tx, volume.id, edit(volume), clock.now());
    });
  const simple = (name: keyof typeof transitions): Action =>
    action({
      body: nothing,
      run: (ctx, req) => change(ctx, req, (volume) => ({ status: transitions[name](volume) })),
    });

  const actions: Readonly<Record<string, Action>> = {
    "os-reserve": simple("os-reserve"),
    "os-unreserve": simple("os-unreserve"),
    "os-begin_detaching": simple("os-begin_detaching"),
    "os-roll_detaching": simple("os-roll_detaching"),
    "os-attach": action({
      body: z.strictObject({
        instance_uuid: uuid.nullish(),
        mountpoint: z.string().min(1).max(255),
        host_name: z.string().max(255).nullish(),
        mode: z.enum(["rw", "ro"]).optional(),
      }),
      run: (ctx, req, wish) =>
        attachNow(parts, ctx, idOf(req), {
          instanceUuid: wish.instance_uuid ?? null,
          mountpoint: wish.mountpoint,
          mode: wish.mode ?? null,
        }),
    }),
    "os-detach": action({
      body: z.strictObject({ attachment_id: uuid.nullish() }),
      run: async (ctx, req, { attachment_id: named }) => {
        const wish = named ?? undefined;
        const { attachments } = await db.statement(ctx, "volume.get", (tx) =>
          getVolume(tx, ctx.actor, idOf(req)),
        );
        const found =
          wish === undefined && attachments.length === 1
            ? attachments[0]
            : attachments.find(({ id }) => id === wish);
        if (!found)
          throw E.INVALID_VOLUME({
            reason:
              wish === undefined
                ? "Detach volume failed: More than one attachment, but no attachment_id provided."
                : `Detach volume failed: attachment ${wish} not found.`,
          });
        await release(parts, ctx, found.id, isService(factsOf(req).service));
      },
    }),
    "os-initialize_connection": action({
      body: z.strictObject({ connector }),
      status: 200,
      run: async (ctx, req, { connector: host }) => {
        const connected = await connectWithoutServer(parts, ctx, idOf(req), host);
        const { driver_volume_type: type, ...data } = connected.connectionInfo ?? {};
        return { connection_info: { driver_volume_type: type, data } };
      },
    }),
    "os-terminate_connection": action({
      body: z.strictObject({ connector }),
      run: async (ctx, req) => {
        const volume = await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, idOf(req)));
        for (const { id, instanceUuid } of volume.attachments)
          if (instanceUuid === null) await release(parts, ctx, id, isService(factsOf(req).service));
      },
    }),
    "os-extend": action({
      body: z.strictObject({ new_size: gib }),
      run: async (ctx, req, { new_size: size }) => {
        const mayBeInUse = factsOf(req).minor >= IN_USE_EXTEND;
        work.demandRoom();
        await db.write(ctx, "volume.extend", async (tx) => {
          const volume = await getVolume(tx, ctx.actor, idOf(req));
          demandExtendable(volume, size, mayBeInUse);
          const growth = { what: "growth", gib: size - volume.sizeGib, size } as const;
          await demandRoom(tx, volume.projectId, growth, limits);
          await updateVolume(
            tx,
            volume.id,
            {
              status: "extending",
              previousStatus: volume.status,
              task: { kind: "extend", sizeGib: size },
            },
            clock.now(),
          );
        });
        queueVolume(parts, idOf(req));
      },
    }),
    "os-set_bootable": action({
      body: z.strictObject({ bootable: flag }),
      status: 200,
      run: (ctx, req, { bootable }) => change(ctx, req, () => ({ bootable })),
    }),
    "os-update_readonly_flag": action({
      body: z.strictObject({ readonly: flag }),
      run: (ctx, req, { readonly: readOnly }) =>
        change(ctx, req, (volume) => {
          if (volume.status !== "available")
            throw E.INVALID_VOLUME({
              reason: `Volume ${volume.id} status must be available to update readonly flag, but current status is: ${volume.status}.`,
            });
          return { readOnly };
        }),
    }),
    "os-reset_status": action({
      body: z.strictObject({
        status: z.enum(volumeStatuses).optional(),
        attach_status: z.enum(["attached", "detached"]).optional(),
        migration_status: z.null({ error: "migrations are not served" }).optional(),
      }),
      run: (ctx, req, { status }) => {
        demandAdmin(ctx.actor, "volume_extension:volume_admin_actions:reset_status");
        return change(ctx, req, () => (status === undefined ? {} : { status }));
      },
    }),
    "os-force_delete": action({
      body: z.unknown(),
      run: async (ctx, req) => {
        demandAdmin(ctx.actor, "volume_extension:volume_admin_actions:force_delete");
        work.demandRoom();
        await db.write(ctx, "volume.delete.force", async (tx) => {
          const volume = await getVolume(tx, ctx.actor, idOf(req));
          const hasSnapshots = (await snapshotsOf(tx, volume.id)).length > 0;
          demandDeletable(volume, { force: true, hasSnapshots });
          await updateVolume(tx, volume.id, { status: "deleting", task: { kind: "delete" } }, clock.now());
        });
        queueVolume(parts, idOf(req));
      },
    }),
    "os-volume_upload_image": action({
      body: z.strictObject({
        image_name: imageName,
        force: flag.optional(),
        container_format: z.enum(["bare"]).optional(),
        disk_format: z.enum(uploadFormats as [string, ...string[]]).optional(),
        visibility: z.enum(["public", "private", "shared", "community"]).optional(),
        protected: flag.optional(),
      }),
      run: async (ctx, req, wish) => {
        const { minor } = factsOf(req);
        if (minor < UPLOAD_PARAMS && (wish.visibility !== undefined || wish.protected !== undefined))
          throw E.INVALID_FIELD({
            field: "os-volume_upload_image",
            problem: "Additional properties are not allowed ('visibility' or 'protected')",
          });
        work.demandRoom();
        const { volume, imageId, image } = await uploadToImage(parts, ctx, idOf(req), {
          name: wish.image_name,
          diskFormat: wish.disk_format ?? "raw",
          visibility: wish.visibility ?? "private",
          protected: wish.protected ?? false,
          check: (found) => demandUploadable(found, wish.force ?? false),
        });
        return {
          "os-volume_upload_image": {
            id: volume.id,
            updated_at: null,
            status: "uploading",
            display_description: volume.description,
            size: volume.sizeGib,
            volume_type: { id: volume.typeId, name: volume.typeName },
            image_id: imageId,
            container_format: image.containerFormat,
            disk_format: image.diskFormat,
            image_name: image.name,
            ...(minor >= UPLOAD_PARAMS ? { protected: image.protected, visibility: image.visibility } : {}),
          },
        };
      },
    }),
    "os-set_image_metadata": action({
      body: z.strictObject({ metadata }),
      status: 200,
      run: async (ctx, req, { metadata: pairs }) => {
        const edit = (volume: Volume): Volume["imageMetadata"] =>
          demandFew({ ...volume.imageMetadata, ...pairs });
        await change(ctx, req, (volume) => ({ imageMetadata: edit(volume) }));
        return shown(await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, idOf(req))));
      },
    }),
    "os-unset_image_metadata": action({
      body: z.strictObject({ key: z.string().min(1).max(255) }),
      status: 200,
      run: (ctx, req, { key }) =>
        change(ctx, req, (volume) => {
          if (!Object.hasOwn(volume.imageMetadata, key)) throw E.IMAGE_METADATA_NOT_FOUND({ id: volume.id });
          const left = Object.entries(volume.imageMetadata).filter(([name]) => name !== key);
          return { imageMetadata: Object.fromEntries(left) };
        }),
    }),
    "os-show_image_metadata": action({
      body: z.unknown(),
      status: 200,
      run: async (ctx, req) =>
        shown(await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, idOf(req)))),
    }),
    "os-reimage": action({
      body: z.strictObject({ image_id: uuid, reimage_reserved: flag.optional() }),
      run: async (ctx, req, wish) => {
        demandMinor(factsOf(req).minor, REIMAGE);
        work.demandRoom();
        const image = await images.get(ctx, ctx.actor, wish.image_id);
        await change(ctx, req, (volume) => {
          demandReimageable(volume, wish.reimage_reserved ?? false);
          demandFits(image, volume.sizeGib);
          return {
            status: "downloading",
            previousStatus: volume.status,
            task: { kind: "reimage", imageId: image.id },
          };
        });
        queueVolume(parts, idOf(req));
      },
    }),
  };

  const bodyShape = z.record(z.string(), z.unknown());
  router.post("/volumes/:id/action", async (req, res) => {
    const body = bodyOf(req, bodyShape);
    const names = Object.keys(body);
    const name = names[0] ?? "";
    const found = names.length === 1 && Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (!found)
      throw E.INVALID_FIELD({
        field: "body",
        problem: `There is no such action: ${name.slice(0, 64) || "none was named"}`,
      });
    await reply(async (ctx) => {
      demandWrite(ctx.actor, `volume_extension:volume_actions:${name.replace("os-", "")}`);
      const wish = bodyOf(req, z.object({ [name]: found.body }));
      return found.run(ctx, req, wish[name]);
    }, found.status ?? 202)(req, res);
  });
  return router;
}

const shown = (volume: Volume): unknown => ({ metadata: volume.imageMetadata });

/** Values of an image are as long as they are: only their number is judged. @throws INVALID_FIELD */
function demandFew(pairs: Volume["imageMetadata"]): Volume["imageMetadata"] {
  if (Object.keys(pairs).length <= MAX_PAIRS) return pairs;
  throw E.INVALID_FIELD({ field: "metadata", problem: `more than ${MAX_PAIRS} keys` });
}
