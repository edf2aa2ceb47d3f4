import { isoSeconds } from "../../../kernel/index.js";
import type { Image, Member } from "./model.js";
import { containerFormats, diskFormats, statuses, visibilities } from "./model.js";

type Json = Readonly<Record<string, unknown>>;

/** Glance's flat object: properties beside the base attributes, which win. */
export const imageJson = (image: Image): Json => ({
  ...image.properties,
  id: image.id,
  name: image.name,
  status: image.status,
  visibility: image.visibility,
  protected: image.protected,
  owner: image.owner,
  size: image.size,
  virtual_size: image.virtualSize,
  min_disk: image.minDisk,
  min_ram: image.minRam,
  disk_format: image.diskFormat,
  container_format: image.containerFormat,
  checksum: image.checksum,
  os_hash_algo: image.hashAlgo,
  os_hash_value: image.hashValue,
  os_hidden: image.hidden,
  tags: image.tags,
  created_at: isoSeconds(image.createdAt),
  updated_at: isoSeconds(image.updatedAt),
  self: `/v2/images/${image.id}`,
  file: `/v2/images/${image.id}/file`,
  schema: "/v2/schemas/image",
});

export const memberJson = (member: Member): Json => ({
  member_id: member.memberId,
  image_id: member.imageId,
  status: member.status,
  created_at: isoSeconds(member.createdAt),
  updated_at: isoSeconds(member.updatedAt),
  schema: "/v2/schemas/member",
});

const text = (description: string, more: Json = {}): Json => ({
  type: ["null", "string"],
  description,
  ...more,
});
const readOnly = (description: string, type: string): Json => ({
  type: ["null", type],
  readOnly: true,
  description,
});

/** The image's JSON schema; python-glanceclient builds its model from it. */
export const imageSchema: Json = {
  name: "image",
  properties: {
    id: {
      type: "string",
      pattern: "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$",
      description: "An identifier for the image",
    },
    name: text("Descriptive name for the image", { maxLength: 255 }),
    status: {
      type: "string",
      readOnly: true,
      enum: [...statuses, "deleted", "pending_delete"],
      description: "Status of the image",
    },
    visibility: { type: "string", enum: visibilities, description: "Scope of image accessibility" },
    protected: { type: "boolean", description: "If true, image will not be deletable." },
    os_hidden: {
      type: "boolean",
      description: "If true, image will not appear in default image list response.",
    },
    checksum: readOnly("md5 hash of image contents.", "string"),
    os_hash_algo: readOnly("Algorithm to calculate the os_hash_value", "string"),
    os_hash_value: readOnly(
      "Hexdigest of the image contents using the algorithm specified by the os_hash_algo",
      "string",
    ),
    owner: text("Owner of the image", { maxLength: 255 }),
    size: readOnly("Size of image file in bytes", "integer"),
    virtual_size: readOnly("Virtual size of image in bytes", "integer"),
    container_format: text("Format of the container", { enum: [null, ...containerFormats] }),
    disk_format: text("Format of the disk", { enum: [null, ...diskFormats] }),
    created_at: { type: "string", readOnly: true, description: "Date and time of image registration" },
    updated_at: {
      type: "string",
      readOnly: true,
      description: "Date and time of the last image modification",
    },
    tags: {
      type: "array",
      items: { type: "string", maxLength: 255 },
      description: "List of strings related to the image",
    },
    min_ram: { type: "integer", description: "Amount of ram (in MB) required to boot image." },
    min_disk: { type: "integer", description: "Amount of disk space (in GB) required to boot image." },
    self: { type: "string", readOnly: true, description: "An image self url" },
    file: { type: "string", readOnly: true, description: "An image file url" },
    schema: { type: "string", readOnly: true, description: "An image schema url" },
    direct_url: {
      type: "string",
      readOnly: true,
      description: "URL to access the image file kept in external store",
    },
    locations: {
      type: "array",
      items: { type: "object" },
      description: "A set of URLs to access the image file kept in external store",
    },
  },
  additionalProperties: { type: "string" },
  links: [
    { rel: "self", href: "{self}" },
    { rel: "enclosure", href: "{file}" },
    { rel: "describedby", href: "{schema}" },
  ],
};

export const memberSchema: Json = {
  name: "member",
  properties: {
    member_id: { type: "string", description: "An identifier for the image member (tenantId)" },
    image_id: { type: "string", description: "An identifier for the image" },
    created_at: { type: "string", description: "Date and time of image member creation" },
    updated_at: { type: "string", description: "Date and time of last modification of image member" },
    status: {
      type: "string",
      enum: ["pending", "accepted", "rejected"],
      description: "The status of this image member",
    },
    schema: { type: "string", readOnly: true },
  },
};

/** The schema of a list of things. */
export const collectionSchema = (name: string, items: Json): Json => ({
  name,
  properties: {
    [name]: { type: "array", items },
    first: { type: "string" },
    next: { type: "string" },
    schema: { type: "string" },
  },
  links: [
    { rel: "first", href: "{first}" },
    { rel: "next", href: "{next}" },
    { rel: "describedby", href: "{schema}" },
  ],
});
