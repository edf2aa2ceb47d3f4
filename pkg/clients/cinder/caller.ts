import { KilonovaError } from "../../kernel/index.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import type { HttpAnswer, HttpClient, HttpRequest } from "../../platform/http/index.js";
import { serviceCaller } from "../keystone/index.js";
import type { ServiceSession } from "../keystone/index.js";
import { CinderErrors, failureOfAnswer } from "./errors.js";
import type { Missing } from "./errors.js";
import { readOne, shapes } from "./json.js";
import type { VolumeCaller } from "./ports.js";

/** The service's type in the catalog; its other names are tried, too. */
export const SERVICE = "block-storage";
/** Attachments can be completed from it on. */
const OLDEST = 44;
/** What this client knows. */
const NEWEST = 71;
const KEEP_MS = 600_000;

/** A request below the project's address, and what its failure is about. */
export interface Asked extends Omit<HttpRequest, "url"> {
  readonly path: string;
  readonly good: readonly number[];
  /** What a 404 says is not there. */
  readonly id?: string;
  readonly missing?: Missing;
  readonly by?: VolumeCaller;
  /** Minor of the microversion that it needs at least. */
  readonly needs?: number;
}

export type Ask = (ctx: Ctx, asked: Asked) => Promise<HttpAnswer>;

interface Address {
  /** Before `/v3`. */
  readonly root: string;
  /** The project within the address; undefined where it has none. */
  readonly project: string | undefined;
}

/**
 * Calls in the newest microversion that both sides know. The service is asked for its versions once per ten
 * minutes, and again when it refuses ours.
 * @throws BLOCK_STORAGE_TOO_OLD, ENDPOINT_NOT_FOUND, and what answers say
 */
export function cinderCaller(http: HttpClient, session: ServiceSession, clock: Clock): Ask {
  const caller = serviceCaller(http, session, SERVICE, /\/v[23](\/[^/]*)?$/);
  let known: { readonly root: string; readonly minor: number; readonly untilMs: number } | undefined;
  const minorOf = async (ctx: Ctx, root: string): Promise<number> => {
    if (known !== undefined && known.root === root && known.untilMs > clock.monotonicMs()) return known.minor;
    const answer = await caller.call(ctx, { method: "GET", path: "/" });
    if (answer.status !== 200 && answer.status !== 300)
      // Whoever says that there are none is not the service, but stands before it.
      throw failureOfAnswer(answer, "versions", () => CinderErrors.BLOCK_STORAGE_UNAVAILABLE({}));
    const minor = newestOf(answer.json);
    if (minor < OLDEST) throw tooOld(OLDEST);
    known = { root, minor, untilMs: clock.monotonicMs() + KEEP_MS };
    return minor;
  };
  const answerTo = async (ctx: Ctx, asked: Asked): Promise<HttpAnswer> => {
    const { path, good: _good, id: _id, missing: _missing, by, needs = OLDEST, ...request } = asked;
    const { root, project } = addressOf(await session.endpoint(ctx, SERVICE));
    const minor = await minorOf(ctx, root);
    if (minor < needs) throw tooOld(needs);
    const mine = project === undefined ? undefined : (by?.projectId ?? project);
    return caller.call(ctx, {
      ...request,
      path: `/v3${mine === undefined ? "" : `/${encodeURIComponent(mine)}`}${path}`,
      headers: { ...request.headers, "OpenStack-API-Version": `volume 3.${minor}` },
      userToken: by?.userToken,
      // Only a service may end an attachment that a server has.
      asService: true,
    });
  };
  return (ctx, asked) =>
    asStorageFailure(async () => {
      const remembered = known;
      let answer = await answerTo(ctx, asked);
      if (answer.status === 406) {
        known = undefined;
        // An older one may have taken its place since it was asked. Nothing was done.
        if (remembered !== undefined) answer = await answerTo(ctx, asked);
      }
      if (asked.good.includes(answer.status)) return answer;
      throw failureOfAnswer(answer, asked.id ?? "", asked.missing ?? CinderErrors.NOT_FOUND);
    });
}

/** Catalogs write it with and without the project, and of old with version 2. */
function addressOf(endpoint: string): Address {
  const found = /^(.*?)\/v[23](?:\/([^/]+))?$/.exec(endpoint);
  return found?.[1] === undefined
    ? { root: endpoint, project: undefined }
    : { root: found[1], project: found[2] };
}

const tooOld = (minor: number): Error => CinderErrors.BLOCK_STORAGE_TOO_OLD({ version: `3.${minor}` });

/** The newest minor version of 3 that both know; -1 without a version 3. */
function newestOf(json: unknown): number {
  for (const { version } of readOne(json, "versions", shapes.versions)) {
    const minor = /^3\.(\d{1,4})$/.exec(version)?.[1];
    if (minor !== undefined) return Math.min(Number(minor), NEWEST);
  }
  return -1;
}

async function asStorageFailure<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "UNAVAILABLE")
      throw CinderErrors.BLOCK_STORAGE_UNAVAILABLE({}, { cause: error });
    throw error;
  }
}
