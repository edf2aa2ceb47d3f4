import { defineErrors } from "../../kernel/index.js";

/** Every refusal of the Image service. */
export const E = defineErrors("image", {
  IMAGE_NOT_FOUND: ["missing", (p: { id: string }) => `No image found with ID ${p.id}`],
  MEMBER_NOT_FOUND: [
    "missing",
    (p: { id: string; member: string }) => `Image ${p.id} has no member ${p.member}.`,
  ],
  TAG_NOT_FOUND: ["missing", (p: { tag: string }) => `The image has no tag ${p.tag}.`],
  IMAGE_EXISTS: ["exists", (p: { id: string }) => `Image ID ${p.id} already exists!`],
  MEMBER_EXISTS: ["exists", (p: { member: string }) => `Member ${p.member} is duplicated for image.`],
  READ_ONLY: ["forbidden", (p: { attribute: string }) => `Attribute '${p.attribute}' is read-only.`],
  RESERVED: ["forbidden", (p: { attribute: string }) => `Attribute '${p.attribute}' is reserved.`],
  NOT_REMOVABLE: ["forbidden", (p: { attribute: string }) => `Property ${p.attribute} may not be removed.`],
  FORBIDDEN: [
    "forbidden",
    (p: { action: string }) => `You are not authorized to complete ${p.action} action.`,
  ],
  PROTECTED: ["forbidden", (p: { id: string }) => `Image ${p.id} is protected and cannot be deleted.`],
  NOT_SHARED: ["forbidden", (_p: Record<string, never>) => "Only shared images have members."],
  DEACTIVATED: [
    "forbidden",
    (_p: Record<string, never>) =>
      "The requested image has been deactivated. Image data download is forbidden.",
  ],
  QUEUED_ONLY: [
    "forbidden",
    (p: { attribute: string }) => `Attribute ${p.attribute} can be only replaced for a queued image.`,
  ],
  WRONG_STATE: [
    "refused",
    (p: { from: string; to: string }) => `Image status transition from ${p.from} to ${p.to} is not allowed`,
  ],
  NO_SUCH_PROPERTY: ["conflict", (p: { attribute: string }) => `Property ${p.attribute} does not exist.`],
  FORMAT_NEEDED: [
    "invalid",
    (_p: Record<string, never>) =>
      "Properties disk_format, container_format must be set prior to saving data.",
  ],
  INVALID: ["invalid", (p: { problem: string }) => p.problem],
  MEDIA_TYPE: [
    "unsupported",
    (_p: Record<string, never>) => "The media type of the request body is not supported here.",
  ],
  TOO_MUCH: [
    "quota",
    (p: { what: string; limit: number }) => `The limit has been exceeded on ${p.what}: ${p.limit}.`,
  ],
  OVER_LIMIT: [
    "quota",
    (p: { limit: string; value: number }) =>
      `The project is over its limit: ${p.limit} is ${p.value}${p.limit === "image_size_total" ? " MiB" : ""}.`,
  ],
  DISK_FULL: [
    "unavailable",
    (_p: Record<string, never>) => "There is not enough space for image data at this time.",
  ],
  GONE: ["missing", (p: { id: string }) => `Image ${p.id} was deleted while its data was uploaded.`],
});

/** Where Glance's status differs from the usual one of the kind. */
export const statusOf = { MEDIA_TYPE: 415, TOO_MUCH: 413, OVER_LIMIT: 413, GONE: 410 } as const;
