import type { Request } from "express";
import { z } from "zod";
import { lastOf, queryOf } from "../../../../platform/http/index.js";
import { parseFlag } from "../../../shared/input.js";
import type { DirectoryFilter, Json } from "../../domain/model.js";
import { E } from "../../errors.js";

/** Fields that several kinds of things have. */
export const name = z.string().min(1).max(255);
export const description = z.string().max(65_535).nullish();
export const idText = z.string().max(64);
export const tag = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^,/]*$/, "must hold neither comma nor slash");
export const tags = z.array(tag).max(80);
/** Options of domains, projects and roles; null takes one away. */
export const options = z.strictObject({ immutable: z.boolean().nullish() }).optional();

const OWN = new Set(["id", "links", "domain_id", "parent_id", "is_domain", "password_expires_at"]);

/**
 * Attributes that nobody here knows are kept as they are; those that are ours to set are not taken for such.
 * @throws INVALID
 */
export function extraOf(rest: Json): Json {
  const own = Object.keys(rest).find((key) => OWN.has(key));
  if (own !== undefined) throw E.INVALID({ problem: `${own}: cannot be set` });
  return rest;
}

/** A thing stays in its domain. @throws INVALID */
export function refuseMove(wish: string | null | undefined, domainId: string | undefined): void {
  if (wish !== undefined && wish !== null && domainId !== undefined && wish !== domainId)
    throw E.INVALID({ problem: "domain_id: cannot be changed" });
}

/**
 * The filters that lists of domains, projects, users and roles take; others are ignored, as Keystone does.
 */
export function filterOf(req: Request): DirectoryFilter {
  const query = queryOf(req);
  const enabled = lastOf(query, "enabled");
  return {
    id: lastOf(query, "id"),
    name: nameFilter(req),
    domainId: lastOf(query, "domain_id"),
    parentId: lastOf(query, "parent_id"),
    enabled: enabled === undefined ? undefined : (parseFlag(enabled) ?? true),
  };
}

export const nameFilter = (req: Request): string | undefined => lastOf(queryOf(req), "name");

const TAG_FILTERS = {
  tags: { all: true, not: false },
  "tags-any": { all: false, not: false },
  "not-tags": { all: true, not: true },
  "not-tags-any": { all: false, not: true },
} as const;

/** Filters by tags, which projects alone have. */
export const tagFilters = (req: Request): NonNullable<DirectoryFilter["tags"]> =>
  Object.entries(TAG_FILTERS).flatMap(([param, kind]) => {
    const value = lastOf(queryOf(req), param);
    return value === undefined ? [] : [{ ...kind, names: value.split(",") }];
  });
