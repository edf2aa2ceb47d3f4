import { defineErrors } from "../../kernel/index.js";

type Nothing = Record<string, never>;

/** Every refusal of the Block Storage service, in Cinder's words. */
export const E = defineErrors("volume", {
  VOLUME_NOT_FOUND: ["missing", (p: { id: string }) => `Volume ${p.id} could not be found.`],
  SNAPSHOT_NOT_FOUND: ["missing", (p: { id: string }) => `Snapshot ${p.id} could not be found.`],
  ATTACHMENT_NOT_FOUND: [
    "missing",
    (p: { id: string }) => `Volume attachment could not be found with filter: attachment_id = ${p.id}.`,
  ],
  TYPE_NOT_FOUND: ["missing", (p: { id: string }) => `Volume type ${p.id} could not be found.`],
  TYPE_NAME_NOT_FOUND: [
    "missing",
    (p: { name: string }) => `Volume type with name ${p.name} could not be found.`,
  ],
  EXTRA_SPEC_NOT_FOUND: [
    "missing",
    (p: { id: string; key: string }) => `Volume Type ${p.id} has no extra specs with key ${p.key}.`,
  ],
  METADATA_NOT_FOUND: [
    "missing",
    (p: { id: string; key: string }) => `Volume ${p.id} has no metadata with key ${p.key}.`,
  ],
  IMAGE_METADATA_NOT_FOUND: [
    "missing",
    (p: { id: string }) => `Glance metadata for volume/snapshot ${p.id} cannot be found.`,
  ],
  IMAGE_NOT_FOUND: ["missing", (p: { id: string }) => `Image ${p.id} could not be found.`],
  VERSION_NOT_ON_METHOD: [
    "missing",
    (p: { version: string }) => `API version ${p.version} is not supported on this method.`,
  ],
  VERSION_OUT_OF_RANGE: [
    "invalid",
    (p: { version: string; min: string; max: string }) =>
      `Version ${p.version} is not supported by the API. Minimum is ${p.min} and maximum is ${p.max}.`,
  ],
  VERSION_MALFORMED: [
    "invalid",
    (p: { version: string }) =>
      `API Version String ${p.version} is of invalid format. Must be of format MajorNum.MinorNum.`,
  ],
  MALFORMED_URL: ["invalid", (_p: Nothing) => "Malformed request url"],
  INVALID_VOLUME: ["invalid", (p: { reason: string }) => `Invalid volume: ${p.reason}`],
  INVALID_SNAPSHOT: ["invalid", (p: { reason: string }) => `Invalid snapshot: ${p.reason}`],
  INVALID_INPUT: ["invalid", (p: { reason: string }) => `Invalid input received: ${p.reason}`],
  /** A body that does not have the shape; the field is named. */
  INVALID_FIELD: [
    "invalid",
    (p: { field: string; problem: string }) => `Invalid input for field/attribute ${p.field}. ${p.problem}.`,
  ],
  IMAGE_UNACCEPTABLE: [
    "invalid",
    (p: { id: string; reason: string }) => `Image ${p.id} is unacceptable: ${p.reason}`,
  ],
  INVALID_ZONE: ["invalid", (p: { zone: string }) => `Availability zone '${p.zone}' is invalid.`],
  MULTIATTACH_PARAMETER: [
    "invalid",
    (_p: Nothing) =>
      "multiattach parameter has been removed. The default behavior is to use multiattach enabled volume types. Contact your administrator to create a multiattach enabled volume type and use it to create multiattach volumes.",
  ],
  RESOURCE_CONFLICT: ["refused", (p: { reason: string }) => `Resource conflict: ${p.reason}`],
  CONFLICT_NOVA_USING_ATTACHMENT: [
    "refused",
    (p: { server: string }) => `Detach volume from instance ${p.server} using the Compute API`,
  ],
  REIMAGE_ATTACHED: [
    "refused",
    (_p: Nothing) => "Cannot re-image a volume which is attached to more than one server.",
  ],
  TYPE_EXISTS: ["exists", (p: { name: string }) => `Volume Type ${p.name} already exists.`],
  /** Cinder says 400 to both; see `statusOf`. */
  TYPE_IN_USE: ["refused", (_p: Nothing) => "Target volume type is still in use."],
  TYPE_IS_DEFAULT: [
    "invalid",
    (p: { id: string }) => `The volume type ${p.id} is a default volume type and cannot be deleted.`,
  ],
  VOLUMES_EXHAUSTED: [
    "quota",
    (p: { allowed: number }) =>
      `VolumeLimitExceeded: Maximum number of volumes allowed (${p.allowed}) exceeded for quota 'volumes'.`,
  ],
  SNAPSHOTS_EXHAUSTED: [
    "quota",
    (p: { allowed: number }) =>
      `SnapshotLimitExceeded: Maximum number of snapshots allowed (${p.allowed}) exceeded`,
  ],
  GIGABYTES_EXHAUSTED: [
    "quota",
    (p: { requested: number; quota: number; consumed: number }) =>
      `VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested ${p.requested}G, quota is ${p.quota}G and ${p.consumed}G has been consumed.`,
  ],
  VOLUME_TOO_LARGE: [
    "quota",
    (p: { size: number; limit: number }) =>
      `VolumeSizeExceedsLimit: Requested volume size ${p.size}G is larger than maximum allowed limit ${p.limit}G.`,
  ],
  FORBIDDEN: ["forbidden", (p: { action: string }) => `Policy doesn't allow ${p.action} to be performed.`],
  TOO_BUSY: [
    "unavailable",
    (_p: Nothing) => "Too much work is waiting in the Block Storage service. Try again later.",
  ],
  DISK_FULL: ["unavailable", (_p: Nothing) => "There is not enough space for volume data at this time."],
  STORAGE_FAILED: ["internal", (p: { step: string }) => `The storage of volumes failed to ${p.step}.`],
});

/** Where Cinder's status differs from the usual one of the kind. */
export const statusOf = {
  VOLUMES_EXHAUSTED: 413,
  SNAPSHOTS_EXHAUSTED: 413,
  GIGABYTES_EXHAUSTED: 413,
  VOLUME_TOO_LARGE: 413,
  VERSION_OUT_OF_RANGE: 406,
  TYPE_IN_USE: 400,
} as const;
