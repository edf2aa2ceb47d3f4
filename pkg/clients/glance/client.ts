import { isCanonicalUuid, KilonovaError } from "../../kernel/index.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { httpClient } from "../../platform/http/index.js";
import type { HttpAnswer } from "../../platform/http/index.js";
import { serviceCaller } from "../keystone/index.js";
import type { ServiceCaller, ServiceRequest, ServiceSession } from "../keystone/index.js";
import { failureOfAnswer, GlanceErrors } from "./errors.js";
import { createJson, patchJson, readImage } from "./image-json.js";
import type { Glance, ImageCaller, ImageInfo, ImageQuery } from "./ports.js";
import { expectedHash, verified } from "./verified.js";

export interface GlanceOptions {
  readonly session: ServiceSession;
  readonly clock: Clock;
  /** 0..1 */
  readonly random: () => number;
  /** Milliseconds for anything but data. Default 30,000. */
  readonly timeoutMs?: number;
}

const PATCH_TYPE = "application/openstack-images-v2.1-json-patch";
const PAGE = 100;
const MAX_LISTED = 10_000;

/** Image over HTTP: works against Glance and the embedded service alike. */
export function glanceClient(options: GlanceOptions): Glance {
  const { clock, random, timeoutMs } = options;
  const http = httpClient({
    what: "The Image service",
    clock,
    random,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const caller = serviceCaller(http, options.session, "image", /\/v2(\.\d+)?$/);
  const ask = (ctx: Ctx, id: string, request: ServiceRequest, good: readonly number[]): Promise<HttpAnswer> =>
    asked(caller, ctx, id, request, good);
  const getImage = async (ctx: Ctx, id: string, by: ImageCaller = {}): Promise<ImageInfo> =>
    readImage((await ask(ctx, id, { method: "GET", path: pathOf(id), ...by }, [200])).json);

  return {
    getImage,
    listImages: (ctx, query = {}, by = {}) => listAll(ask, ctx, query, by),
    download: (ctx, id, by = {}) => download(caller, getImage, ctx, id, by),
    createImage: async (ctx, image, by = {}) => {
      const answer = await asImageFailure(() =>
        caller.call(ctx, { method: "POST", path: "/v2/images", json: createJson(image), ...by }),
      );
      if (answer.status === 409) throw GlanceErrors.IMAGE_EXISTS({ id: image.id ?? "" });
      if (answer.status !== 201) throw failureOfAnswer(answer, image.id ?? "");
      return readImage(answer.json);
    },
    upload: async (ctx, id, data, by = {}) => {
      // Streamed bodies cannot be sent twice: make sure of a good token first.
      await getImage(ctx, id, by);
      const answer = await asImageFailure(() =>
        caller.open(ctx, {
          method: "PUT",
          path: `${pathOf(id)}/file`,
          stream: data,
          headers: { "Content-Type": "application/octet-stream" },
          timeoutMs: MAX_TIMER_MS,
          ...by,
        }),
      );
      for await (const _part of named(answer.body)) continue; // Frees the connection.
      if (answer.status !== 204) throw failureOfAnswer(answer, id);
    },
    updateImage: async (ctx, id, changes, by = {}) =>
      readImage(
        (
          await ask(
            ctx,
            id,
            {
              method: "PATCH",
              path: pathOf(id),
              json: patchJson(changes),
              headers: { "Content-Type": PATCH_TYPE },
              ...by,
            },
            [200],
          )
        ).json,
      ),
    deleteImage: async (ctx, id, by = {}) => {
      await ask(ctx, id, { method: "DELETE", path: pathOf(id), ...by }, [204, 404]);
    },
    addMember: async (ctx, id, projectId, by = {}) => {
      await ask(
        ctx,
        id,
        { method: "POST", path: `${pathOf(id)}/members`, json: { member: projectId }, ...by },
        [200, 409],
      );
    },
  };
}

/** The longest that a timer takes; uploads end with their context. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Ids come from users' requests. What is no UUID is no image, and must not change the path. @throws
 * IMAGE_NOT_FOUND
 */
function pathOf(id: string): string {
  if (!isCanonicalUuid(id)) throw GlanceErrors.IMAGE_NOT_FOUND({ id });
  return `/v2/images/${id}`;
}

type Ask = (ctx: Ctx, id: string, request: ServiceRequest, good: readonly number[]) => Promise<HttpAnswer>;

async function asked(
  caller: ServiceCaller,
  ctx: Ctx,
  id: string,
  request: ServiceRequest,
  good: readonly number[],
): Promise<HttpAnswer> {
  const answer = await asImageFailure(() => caller.call(ctx, request));
  if (!good.includes(answer.status)) throw failureOfAnswer(answer, id);
  return answer;
}

async function asImageFailure<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "UNAVAILABLE")
      throw GlanceErrors.IMAGE_UNAVAILABLE({}, { cause: error });
    throw error;
  }
}

/** A body that breaks off, in the service's own terms. */
async function* named(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await asImageFailure(() => parts.next());
      if (done) return;
      yield value;
    }
  } finally {
    await parts.return?.();
  }
}

async function listAll(ask: Ask, ctx: Ctx, query: ImageQuery, by: ImageCaller): Promise<ImageInfo[]> {
  const limit = query.limit ?? MAX_LISTED;
  const found: ImageInfo[] = [];
  const base = {
    ...query.properties,
    id: query.ids === undefined ? undefined : `in:${query.ids.join(",")}`,
    name: query.name,
    status: query.status,
    visibility: query.visibility,
    owner: query.owner,
    sort: query.sort,
  };
  let marker: string | undefined;
  while (found.length < limit) {
    const size = Math.min(PAGE, limit - found.length);
    const { json } = await ask(
      ctx,
      "",
      { method: "GET", path: "/v2/images", query: { ...base, limit: String(size), marker }, ...by },
      [200],
    );
    const { images, hasNext } = pageOf(json);
    const last = images.at(-1);
    found.push(...images);
    // A service may give less at once than asked for: only a page without "next" is the last.
    if (!hasNext || last === undefined) break;
    if (last.id === marker) throw GlanceErrors.UNEXPECTED_ANSWER({});
    marker = last.id;
  }
  return found.slice(0, limit);
}

function pageOf(json: unknown): { readonly images: readonly ImageInfo[]; readonly hasNext: boolean } {
  if (typeof json !== "object" || json === null || !("images" in json) || !Array.isArray(json.images))
    throw GlanceErrors.UNEXPECTED_ANSWER({});
  return { images: json.images.map(readImage), hasNext: "next" in json && typeof json.next === "string" };
}

async function* download(
  caller: ServiceCaller,
  getImage: (ctx: Ctx, id: string, by: ImageCaller) => Promise<ImageInfo>,
  ctx: Ctx,
  id: string,
  by: ImageCaller,
): AsyncGenerator<Uint8Array> {
  const image = await getImage(ctx, id, by);
  const answer = await asImageFailure(() =>
    caller.open(ctx, {
      method: "GET",
      path: `${pathOf(id)}/file`,
      headers: { Accept: "application/octet-stream" },
      ...by,
    }),
  );
  if (answer.status === 204) throw GlanceErrors.IMAGE_NO_DATA({ id });
  if (answer.status !== 200) {
    for await (const _part of answer.body) break; // Leaving the loop cancels the body.
    throw failureOfAnswer(answer, id);
  }
  yield* verified(named(answer.body), expectedHash(image), () => GlanceErrors.IMAGE_CORRUPT({ id }));
}
