import type { Request, RequestHandler, Response } from "express";
import type { z } from "zod";
import type { Actor, Ctx } from "../../../../kernel/index.js";
import { baseUrlOf, ctxOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import { readListing } from "../../domain/listing.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import { demandMinor } from "../../domain/microversion.js";
import type { Minor } from "../../domain/microversion.js";
import { isAdmin } from "../../domain/policy.js";
import type { Viewer } from "../../domain/views.js";
import { E } from "../../errors.js";

type Json = Readonly<Record<string, unknown>>;

/** What the middleware in front of all routes found out. */
interface Facts {
  readonly minor: Minor;
  /** The service's own token that came along, and its actor. */
  readonly service: Actor | undefined;
}
const FACTS = Symbol("facts");
type Told = Request & { [FACTS]?: Facts };

export const setFacts = (req: Request, facts: Facts): void => {
  (req as Told)[FACTS] = facts;
};

export function factsOf(req: Request): Facts {
  const facts = (req as Told)[FACTS];
  if (!facts) throw new Error("the middleware is not installed in front of this handler");
  return facts;
}

/** One handler: what it returns is sent, `undefined` as an empty answer of that status. */
export const reply =
  (handler: (ctx: Ctx, req: Request, res: Response) => Promise<unknown>, status = 200) =>
  async (req: Request, res: Response): Promise<void> => {
    const body = await handler(ctxOf(req), req, res);
    if (res.headersSent) return;
    if (body === undefined) res.status(status).end();
    else res.status(status).json(body);
  };

export const viewerOf = (req: Request): Viewer => ({
  minor: factsOf(req).minor,
  admin: isAdmin(ctxOf(req).actor),
  base: `${baseUrlOf(req)}/v3/${ctxOf(req).actor.projectId}`,
});

export const listingOf = (req: Request, spec: ListingSpec): Listing =>
  readListing(queryOf(req), spec, viewerOf(req));

export const idOf = (req: Request): string => pathOf(req, "id");

/** Reads a body of one shape. @throws INVALID_FIELD naming the first bad field */
export function bodyOf<S extends z.ZodType>(req: Request, schema: S): z.output<S> {
  const result = schema.safeParse(req.body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join(".");
  if (issue?.code === "unrecognized_keys")
    throw E.INVALID_FIELD({
      field: field || "body",
      problem: `Additional properties are not allowed ('${issue.keys.join("', '").slice(0, 200)}')`,
    });
  throw E.INVALID_FIELD({ field: field || "body", problem: issue?.message ?? "malformed" });
}

/** The link to the page behind a full one. */
export function nextLink(
  req: Request,
  many: string,
  { limit }: Listing,
  items: readonly { readonly id: string }[],
): Json {
  const last = items.at(-1);
  if (last === undefined || items.length < limit) return {};
  const at = req.originalUrl.indexOf("?");
  const params = new URLSearchParams(at < 0 ? "" : req.originalUrl.slice(at + 1));
  params.set("marker", last.id);
  const path = req.originalUrl.split("?")[0] ?? "";
  return { [`${many}_links`]: [{ rel: "next", href: `${baseUrlOf(req)}${path}?${params.toString()}` }] };
}

/** Routes that came with a version are not there before it. @throws VERSION_NOT_ON_METHOD */
export const since =
  (minor: Minor): RequestHandler =>
  (req, _res, next) => {
    demandMinor(factsOf(req).minor, minor);
    next();
  };
