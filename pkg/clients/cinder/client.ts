import { z } from "zod";
import { isCanonicalUuid, KilonovaError } from "../../kernel/index.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { httpClient } from "../../platform/http/index.js";
import type { HttpRequest } from "../../platform/http/index.js";
import type { ServiceSession } from "../keystone/index.js";
import { cinderCaller, SERVICE } from "./caller.js";
import type { Ask } from "./caller.js";
import { CinderErrors } from "./errors.js";
import type { Missing } from "./errors.js";
import { createVolumeJson, defined, nextMarker, read, readMany, readOne, shapes } from "./json.js";
import type { Cinder, CreateVolume, VolumeCaller, VolumeQuery } from "./ports.js";

export interface CinderOptions {
  readonly session: ServiceSession;
  readonly clock: Clock;
  /** 0..1 */
  readonly random: () => number;
  /** Milliseconds per call. Default 30,000. */
  readonly timeoutMs?: number;
}

/** Storage may take long to prepare a connection, and to end one. */
const CONNECT_MS = 120_000;
const PAGE = 1_000;
const MAX_LISTED = 10_000;

/** Block storage over HTTP: works against Cinder and the embedded service alike. */
export function cinderClient(options: CinderOptions): Cinder {
  const { session, clock, random, timeoutMs } = options;
  const http = httpClient({
    what: "The Block Storage service",
    clock,
    random,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const ask = cinderCaller(http, session, clock);
  return {
    configured: async (ctx) => {
      try {
        await session.endpoint(ctx, SERVICE);
        return true;
      } catch (error) {
        if (error instanceof KilonovaError && error.reason === "ENDPOINT_NOT_FOUND") return false;
        throw error;
      }
    },
    ...volumes(ask),
    ...snapshots(ask),
    ...attachments(ask),
    ...actions(ask),
    listTypes: async (ctx, by = {}) =>
      list(ask, ctx, { path: "/types", name: "volume_types", shape: shapes.type, query: {}, by }),
    limits: async (ctx, projectId) =>
      readOne(
        (await ask(ctx, { method: "GET", path: "/limits", query: { project_id: projectId }, good: [200] }))
          .json,
        "limits",
        shapes.limits,
      ),
  };
}

function volumes(
  ask: Ask,
): Pick<Cinder, "getVolume" | "listVolumes" | "createVolume" | "deleteVolume" | "getEncryption"> {
  return {
    getVolume: async (ctx, id, by = {}) => {
      const answer = await ask(ctx, { method: "GET", ...volume(id), good: [200], by });
      return readOne(answer.json, "volume", shapes.volume);
    },
    listVolumes: (ctx, query = {}, by = {}) =>
      list(ask, ctx, {
        path: "/volumes/detail",
        name: "volumes",
        shape: shapes.volume,
        query: volumeQuery(query),
        limit: query.limit ?? MAX_LISTED,
        by,
      }),
    createVolume: async (ctx, wish, by = {}) => {
      const source = wish.snapshotId ?? wish.sourceVolumeId ?? wish.imageId ?? "";
      const missing =
        wish.snapshotId === undefined ? CinderErrors.VOLUME_NOT_FOUND : CinderErrors.SNAPSHOT_NOT_FOUND;
      // What is made with somebody's token is theirs, and Cinder refuses to be told so.
      const json = createVolumeJson(by.userToken === undefined ? wish : ownerless(wish));
      const answer = await ask(ctx, {
        method: "POST",
        path: "/volumes",
        json,
        good: [202],
        id: source,
        missing,
        by,
      });
      return readOne(answer.json, "volume", shapes.volume);
    },
    deleteVolume: async (ctx, id, by = {}) => {
      if (isCanonicalUuid(id))
        await ask(ctx, { method: "DELETE", ...volume(id), good: [202, 404], repeatable: true, by });
    },
    getEncryption: async (ctx, id) => {
      const { path, ...about } = volume(id);
      const answer = await ask(ctx, { method: "GET", path: `${path}/encryption`, ...about, good: [200] });
      return read(answer.json, shapes.encryption);
    },
  };
}

function snapshots(
  ask: Ask,
): Pick<
  Cinder,
  "getSnapshot" | "listSnapshots" | "createSnapshot" | "deleteSnapshot" | "updateSnapshotStatus"
> {
  return {
    getSnapshot: async (ctx, id, by = {}) => {
      const answer = await ask(ctx, { method: "GET", ...snapshot(id), good: [200], by });
      return readOne(answer.json, "snapshot", shapes.snapshot);
    },
    listSnapshots: (ctx, { volumeId }) =>
      list(ask, ctx, {
        path: "/snapshots/detail",
        name: "snapshots",
        shape: shapes.snapshot,
        query: { all_tenants: "1", volume_id: volumeId },
      }),
    createSnapshot: async (ctx, { volumeId, name, description, metadata }, by = {}) => {
      const json = {
        snapshot: defined({ volume_id: volumeId, name, description, metadata, force: true }),
      };
      const { path: _path, ...about } = volume(volumeId);
      const answer = await ask(ctx, { method: "POST", path: "/snapshots", json, ...about, good: [202], by });
      return readOne(answer.json, "snapshot", shapes.snapshot);
    },
    deleteSnapshot: async (ctx, id, by = {}) => {
      if (isCanonicalUuid(id))
        await ask(ctx, { method: "DELETE", ...snapshot(id), good: [202, 404], repeatable: true, by });
    },
    updateSnapshotStatus: async (ctx, id, status, progress) => {
      const { path, ...about } = snapshot(id);
      const json = { "os-update_snapshot_status": { status, progress } };
      await ask(ctx, {
        method: "POST",
        path: `${path}/action`,
        json,
        ...about,
        good: [202],
        repeatable: true,
      });
    },
  };
}

function attachments(
  ask: Ask,
): Pick<
  Cinder,
  | "createAttachment"
  | "updateAttachment"
  | "completeAttachment"
  | "deleteAttachment"
  | "getAttachment"
  | "listAttachments"
> {
  return {
    createAttachment: async (ctx, { volumeId, serverId, connector }, by = {}) => {
      const json = {
        attachment: { volume_uuid: volumeId, instance_uuid: serverId, connector: connector ?? null },
      };
      const { path: _path, ...about } = volume(volumeId);
      const answer = await ask(ctx, {
        method: "POST",
        path: "/attachments",
        json,
        ...about,
        good: [200, 202],
        timeoutMs: CONNECT_MS,
        by,
      });
      return readOne(answer.json, "attachment", shapes.attachment);
    },
    updateAttachment: async (ctx, id, connector) => {
      const answer = await ask(ctx, {
        method: "PUT",
        ...attachment(id),
        json: { attachment: { connector } },
        good: [200],
        timeoutMs: CONNECT_MS,
        repeatable: true,
      });
      return readOne(answer.json, "attachment", shapes.attachment);
    },
    completeAttachment: async (ctx, id) => {
      const { path, ...about } = attachment(id);
      const json = { "os-complete": {} };
      await ask(ctx, {
        method: "POST",
        path: `${path}/action`,
        json,
        ...about,
        good: [200, 202, 204],
        repeatable: true,
      });
    },
    deleteAttachment: async (ctx, id) => {
      if (isCanonicalUuid(id))
        await ask(ctx, {
          method: "DELETE",
          ...attachment(id),
          good: [200, 404],
          timeoutMs: CONNECT_MS,
          repeatable: true,
        });
    },
    getAttachment: async (ctx, id) => {
      const answer = await ask(ctx, { method: "GET", ...attachment(id), good: [200] });
      return readOne(answer.json, "attachment", shapes.attachment);
    },
    listAttachments: (ctx, { volumeId, serverId }) =>
      list(ask, ctx, {
        path: "/attachments",
        name: "attachments",
        shape: shapes.attachment,
        query: { all_tenants: "1", volume_id: volumeId, instance_id: serverId },
      }),
  };
}

const migrated = z.object({ save_volume_id: z.string() });

function actions(
  ask: Ask,
): Pick<
  Cinder,
  "beginDetaching" | "rollDetaching" | "reimage" | "migrateVolumeCompletion" | "extendCompletion"
> {
  const act = async (ctx: Ctx, id: string, json: unknown, needs?: number): Promise<unknown> => {
    const { path, ...about } = volume(id);
    const answer = await ask(ctx, {
      method: "POST",
      path: `${path}/action`,
      json,
      ...about,
      good: [200, 202],
      ...(needs === undefined ? {} : { needs }),
    });
    return answer.json;
  };
  return {
    beginDetaching: async (ctx, id) => {
      await act(ctx, id, { "os-begin_detaching": {} });
    },
    rollDetaching: async (ctx, id) => {
      await act(ctx, id, { "os-roll_detaching": {} });
    },
    reimage: async (ctx, id, imageId, reserved) => {
      await act(ctx, id, { "os-reimage": { image_id: imageId, reimage_reserved: reserved } }, 68);
    },
    migrateVolumeCompletion: async (ctx, oldId, newId, error) =>
      read(await act(ctx, oldId, { "os-migrate_volume_completion": { new_volume: newId, error } }), migrated)
        .save_volume_id,
    extendCompletion: async (ctx, id, error) => {
      await act(ctx, id, { "os-extend_volume_completion": { error } }, 71);
    },
  };
}

interface Listing<S extends z.ZodType> {
  readonly path: string;
  readonly name: string;
  readonly shape: S;
  readonly query: NonNullable<HttpRequest["query"]>;
  readonly limit?: number;
  readonly by?: VolumeCaller;
}

/**
 * Reads a list to its end, following `next` links. @throws UNEXPECTED_ANSWER also when they go in a circle
 */
async function list<S extends z.ZodType>(
  ask: Ask,
  ctx: Ctx,
  { path, name, shape, query, limit = MAX_LISTED, by = {} }: Listing<S>,
): Promise<z.output<S>[]> {
  const found: z.output<S>[] = [];
  let marker: string | undefined;
  while (found.length < limit) {
    const page = { ...query, limit: String(Math.min(PAGE, limit - found.length)), marker };
    const { json } = await ask(ctx, { method: "GET", path, query: page, good: [200], by });
    const rows = readMany(json, name, shape);
    found.push(...rows);
    const next = nextMarker(json, name);
    if (next === undefined || rows.length === 0) break;
    if (next === marker) throw CinderErrors.UNEXPECTED_ANSWER({});
    marker = next;
  }
  return found.slice(0, limit);
}

const volumeQuery = (query: VolumeQuery): NonNullable<HttpRequest["query"]> => ({
  ...(query.projectId === undefined ? {} : { all_tenants: "1", project_id: query.projectId }),
  name: query.name,
  status: query.status,
  metadata: query.metadata === undefined ? undefined : JSON.stringify(query.metadata),
});

const ownerless = ({ projectId: _projectId, userId: _userId, ...wish }: CreateVolume): CreateVolume => wish;

type About = { readonly path: string; readonly id: string; readonly missing: Missing };

const volume = (id: string): About => about("/volumes", id, CinderErrors.VOLUME_NOT_FOUND);
const snapshot = (id: string): About => about("/snapshots", id, CinderErrors.SNAPSHOT_NOT_FOUND);
const attachment = (id: string): About => about("/attachments", id, CinderErrors.VOLUME_ATTACHMENT_NOT_FOUND);

/** Ids come from users' requests. What is no UUID names nothing, and must not change the path. */
function about(path: string, id: string, missing: Missing): About {
  if (!isCanonicalUuid(id)) throw missing({ id });
  return { path: `${path}/${id}`, id, missing };
}
