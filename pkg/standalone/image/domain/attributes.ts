import type { Actor } from "../../../kernel/index.js";
import { E } from "../errors.js";
import { containerFormats, diskFormats, visibilities } from "./model.js";
import type { Attributes, Image } from "./model.js";

const READ_ONLY = new Set([
  "created_at",
  "updated_at",
  "status",
  "checksum",
  "size",
  "virtual_size",
  "os_hash_algo",
  "os_hash_value",
  "direct_url",
  "self",
  "file",
  "schema",
  "id",
  "stores",
  "locations",
  "links",
  "next",
  "first",
  "images",
]);
const RESERVED = new Set(["deleted", "deleted_at", "is_public", "os_glance_stage_host"]);
const MAX_PROPERTIES = 128;
const MAX_TAGS = 128;
const MAX_NAME = 255;
const MAX_VALUE = 65_535;
/** PostgreSQL's and Glance's 32-bit integers. */
const MAX_INT = 2_147_483_647;

type Draft = { -readonly [K in keyof Attributes]: Attributes[K] };
type Setter = (draft: Draft, value: unknown) => void;

/** How each base attribute is read from JSON; what is not here is a property. */
const setters: Readonly<Record<string, Setter>> = {
  name: (draft, value) => {
    draft.name = optionalText("name", value);
  },
  owner: (draft, value) => {
    draft.owner = optionalText("owner", value);
  },
  visibility: (draft, value) => {
    draft.visibility = oneOf("visibility", visibilities, value);
  },
  protected: (draft, value) => {
    draft.protected = flag("protected", value);
  },
  os_hidden: (draft, value) => {
    draft.hidden = flag("os_hidden", value);
  },
  disk_format: (draft, value) => {
    draft.diskFormat = value === null ? null : oneOf("disk_format", diskFormats, value);
  },
  container_format: (draft, value) => {
    draft.containerFormat = value === null ? null : oneOf("container_format", containerFormats, value);
  },
  min_disk: (draft, value) => {
    draft.minDisk = count("min_disk", value);
  },
  min_ram: (draft, value) => {
    draft.minRam = count("min_ram", value);
  },
  tags: (draft, value) => {
    draft.tags = tagList(value);
  },
};

const blank: Attributes = {
  name: null,
  owner: null,
  visibility: "shared",
  protected: false,
  hidden: false,
  diskFormat: null,
  containerFormat: null,
  minDisk: 0,
  minRam: 0,
  properties: {},
  tags: [],
};

/**
 * Reads the body of a creation (without `id`).
 * @throws READ_ONLY, RESERVED, INVALID, FORBIDDEN, TOO_MUCH
 */
export function readNewImage(body: Readonly<Record<string, unknown>>, actor: Actor): Attributes {
  const before = { ...blank, owner: actor.projectId === "" ? null : actor.projectId };
  const draft: Draft = { ...before };
  const properties = new Map<string, string>();
  for (const [name, value] of Object.entries(body)) {
    if (name !== "id") set(draft, properties, name, value);
  }
  return finish(draft, properties, before, actor);
}

/** One change of a PATCH, in the terms of RFC 6902; `path` is a single unescaped name. */
export type Change =
  | { readonly op: "add" | "replace"; readonly name: string; readonly value: unknown }
  | { readonly op: "remove"; readonly name: string };

/**
 * Applies changes in order to a copy.
 * @throws NO_SUCH_PROPERTY, NOT_REMOVABLE, QUEUED_ONLY and what `readNewImage` throws
 */
export function applyChanges(image: Image, changes: readonly Change[], actor: Actor): Attributes {
  const draft: Draft = attributesOf(image);
  const properties = new Map(Object.entries(image.properties));
  for (const change of changes) {
    const base = Object.hasOwn(setters, change.name);
    if (change.op === "remove") {
      if (READ_ONLY.has(change.name)) throw E.READ_ONLY({ attribute: change.name });
      if (base || RESERVED.has(change.name)) throw E.NOT_REMOVABLE({ attribute: change.name });
      if (!properties.delete(change.name)) throw E.NO_SUCH_PROPERTY({ attribute: change.name });
      continue;
    }
    if ((change.name === "disk_format" || change.name === "container_format") && image.status !== "queued")
      throw E.QUEUED_ONLY({ attribute: change.name });
    if (change.op === "replace" && !base && !READ_ONLY.has(change.name) && !properties.has(change.name))
      throw E.NO_SUCH_PROPERTY({ attribute: change.name });
    set(draft, properties, change.name, change.value);
  }
  return finish(draft, properties, image, actor);
}

const attributesOf = (image: Image): Attributes => ({
  name: image.name,
  owner: image.owner,
  visibility: image.visibility,
  protected: image.protected,
  hidden: image.hidden,
  diskFormat: image.diskFormat,
  containerFormat: image.containerFormat,
  minDisk: image.minDisk,
  minRam: image.minRam,
  properties: image.properties,
  tags: image.tags,
});

function set(draft: Draft, properties: Map<string, string>, name: string, value: unknown): void {
  if (READ_ONLY.has(name)) throw E.READ_ONLY({ attribute: name });
  if (RESERVED.has(name) || name.startsWith("os_glance_")) throw E.RESERVED({ attribute: name });
  const setter = Object.hasOwn(setters, name) ? setters[name] : undefined;
  if (setter) return setter(draft, value);
  if (typeof value !== "string")
    throw E.INVALID({ problem: `Provided object does not match schema 'image': ${name} must be a string` });
  if (name === "" || name.length > MAX_NAME || value.length > MAX_VALUE)
    throw E.INVALID({ problem: "The name or value of a property is empty or too long." });
  properties.set(name, value);
}

/** The rules about the whole: who may publish or give away, and how much fits. */
function finish(
  draft: Draft,
  properties: ReadonlyMap<string, string>,
  before: Pick<Attributes, "visibility" | "owner">,
  actor: Actor,
): Attributes {
  const admin = actor.roles.includes("admin");
  if (draft.visibility === "public" && before.visibility !== "public" && !admin)
    throw E.FORBIDDEN({ action: "publicize_image" });
  if ((draft.owner === null || draft.owner !== before.owner) && !admin)
    throw E.FORBIDDEN({ action: "set_owner" });
  if (properties.size > MAX_PROPERTIES) throw E.TOO_MUCH({ what: "image properties", limit: MAX_PROPERTIES });
  return { ...draft, properties: Object.fromEntries(properties) };
}

/** @throws INVALID, TOO_MUCH */
export function tagList(value: unknown): string[] {
  if (!Array.isArray(value) || value.some((tag) => typeof tag !== "string" || tag.length > MAX_NAME)) {
    throw E.INVALID({
      problem:
        "Provided object does not match schema 'image': tags must be a list of strings of at most 255 characters",
    });
  }
  const tags = [...new Set(value as string[])];
  if (tags.length > MAX_TAGS) throw E.TOO_MUCH({ what: "image tags", limit: MAX_TAGS });
  return tags;
}

function optionalText(name: string, value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== "string" || value.length > MAX_NAME)
    throw E.INVALID({
      problem: `Provided object does not match schema 'image': ${name} must be a string of at most 255 characters`,
    });
  return value;
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean")
    throw E.INVALID({ problem: `Provided object does not match schema 'image': ${name} must be a boolean` });
  return value;
}

function count(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_INT) {
    throw E.INVALID({ problem: `Invalid value for option ${name}: Cannot be a negative value` });
  }
  return value;
}

function oneOf<const T extends string>(name: string, values: readonly T[], value: unknown): T {
  const found = values.find((one) => one === value);
  if (found === undefined)
    throw E.INVALID({
      problem: `Provided object does not match schema 'image': ${name} must be one of ${values.join(", ")}`,
    });
  return found;
}
