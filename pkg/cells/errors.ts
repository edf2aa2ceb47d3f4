import { defineErrors } from "../kernel/errors.js";

/**
 * Reasons of the cells service. Messages are tenant-safe; the gateway words Nova's own sentences from the
 * facts.
 */
export const CellsErrors = defineErrors("cells", {
  UNKNOWN_DATABASE: ["missing", (p: { database: string }) => `There is no database ${p.database}.`],
  LIST_TOO_EXPENSIVE: [
    "invalid",
    (p: { timeoutMs: number }) =>
      `The list took longer than ${p.timeoutMs} ms: its filter or sort is too expensive; narrow it down.`,
    { field: "filter" },
  ],
  TOO_MANY_LISTS: [
    "quota",
    (_p: { retryAfterMs: number }) => "Too many filtered lists of this project are waiting; try again later.",
    { subject: "waiting_lists" },
  ],
  SERVER_NOT_FOUND: ["missing", (p: { server: string }) => `Instance ${p.server} could not be found.`],
  SERVER_MOVED: [
    "refused",
    (p: { server: string }) => `Instance ${p.server} has moved; read its mapping again.`,
  ],
  OPERATION_NOT_FOUND: [
    "missing",
    (p: { operation: string }) => `Operation ${p.operation} could not be found.`,
  ],
  ACTION_NOT_FOUND: [
    "missing",
    (p: { request: string }) => `Action for request ${p.request} could not be found.`,
  ],
  MIGRATION_NOT_FOUND: [
    "missing",
    (p: { migration: string }) => `Migration ${p.migration} could not be found.`,
  ],
  VOLUME_ATTACHMENT_NOT_FOUND: [
    "missing",
    (p: { server: string; volume: string }) => `Instance ${p.server} is not attached to volume ${p.volume}`,
  ],
  DEVICE_NAME_IN_USE: ["refused", (p: { device: string }) => `The device path ${p.device} is in use.`],
  VOLUME_ATTACHED_TWICE: [
    "refused",
    (p: { server: string; volume: string }) =>
      `Volume ${p.volume} is attached to instance ${p.server} already.`,
  ],
  FENCE_LOST: [
    "conflict",
    (p: { operation: string }) => `Operation ${p.operation} is owned by somebody else now.`,
  ],
  PREEMPTED: ["refused", (p: { operation: string }) => `Operation ${p.operation} was pre-empted.`],
  RECORD_NOT_KEPT: [
    "refused",
    (p: { server: string }) => `No record of instance ${p.server} is kept there to return to.`,
  ],
  INVALID_STATE: [
    "refused",
    (p: { server: string; method: string; attr: string; state: string }) =>
      p.attr === "never-launched"
        ? `Instance ${p.server} is in an invalid state for '${p.method}'`
        : `Cannot '${p.method}' instance ${p.server} while it is in ${p.attr} ${p.state}`,
  ],
  INSTANCE_LOCKED: ["refused", (p: { server: string }) => `Instance ${p.server} is locked`],
  NOT_READY: ["refused", (p: { server: string }) => `Instance ${p.server} is not ready`],
  UNKNOWN_KIND: [
    "unavailable",
    (p: { kind: string; version: number }) =>
      `Operations of kind ${p.kind}, version ${p.version}, are not known here yet.`,
  ],
  GUEST_AGENT_MISSING: ["refused", (_p: { server: string }) => "QEMU guest agent is not enabled"],
  CAPABILITY_MISSING: [
    "unsupported",
    (p: { server: string; capability: string }) =>
      `The host of instance ${p.server} cannot do this (${p.capability}).`,
  ],
  OPERATION_IN_PROGRESS: [
    "refused",
    (p: { server: string; operation: string }) => `Another operation is running on instance ${p.server}.`,
  ],
  HOST_CANNOT: [
    "unsupported",
    (p: { host: string; capability: string }) => `Host ${p.host} cannot do this (${p.capability}).`,
  ],
  SUBJECT_BUSY: [
    "refused",
    (p: { subject: string; operation: string }) => `Another operation is running on the ${p.subject}.`,
  ],
  OPERATION_CANCELLED: ["cancelled", (_p: { operation: string }) => "The operation was cancelled."],
  GENERATION_CONFLICT: ["conflict", (p: { server: string }) => `Instance ${p.server} was changed meanwhile.`],
  METADATA_ITEM_NOT_FOUND: ["missing", (_p: { key: string }) => "Metadata item was not found"],
  TOO_MANY_METADATA_ITEMS: [
    "quota",
    (p: { limit: bigint }) => `Maximum number of metadata items exceeds ${p.limit}`,
    { subject: "metadata_items" },
  ],
  TAG_NOT_FOUND: [
    "missing",
    (p: { server: string; tag: string }) => `Server ${p.server} has no tag '${p.tag}'`,
  ],
  TOO_MANY_TAGS: [
    "invalid",
    (p: { limit: number }) => `The number of tags exceeded the per-server limit ${p.limit}`,
    { field: "tags" },
  ],
  SERVER_PASSWORD_EXISTS: [
    "exists",
    (p: { server: string }) => `Instance ${p.server} has left a password already.`,
  ],
  ILLEGAL_TRANSITION: [
    "internal",
    (_p: { from: string; to: string }) =>
      "An unexpected error prevented the server from fulfilling the request.",
  ],
  TOKEN_REUSED: [
    "conflict",
    (p: { token: string }) => `Client token ${p.token} was used for another request.`,
  ],
  QUOTA_EXCEEDED: [
    "quota",
    (p: { resources: string; requested: string; used: string; limit: string }) =>
      `Quota exceeded for ${p.resources}: Requested ${p.requested}, but already used ${p.used} of ${p.limit} ${p.resources}`,
    { subject: "{resources}" },
  ],
  NOT_NEEDING_OPERATOR: [
    "refused",
    (p: { operation: string }) => `Operation ${p.operation} does not wait for an operator.`,
  ],
  FLAVOR_NOT_FOUND: ["missing", (p: { flavor: string }) => `Flavor ${p.flavor} could not be found.`],
  FLAVOR_EXISTS: ["exists", (p: { flavor: string }) => `Flavor with ID ${p.flavor} already exists.`],
  FLAVOR_NAME_EXISTS: ["exists", (p: { name: string }) => `Flavor with name ${p.name} already exists.`],
  EXTRA_SPEC_NOT_FOUND: [
    "missing",
    (p: { flavor: string; key: string }) => `Flavor ${p.flavor} has no extra specs with key ${p.key}.`,
  ],
  FLAVOR_ACCESS_EXISTS: [
    "exists",
    (p: { flavor: string; project: string }) =>
      `Flavor access already exists for flavor ${p.flavor} and project ${p.project} combination.`,
  ],
  FLAVOR_ACCESS_NOT_FOUND: [
    "missing",
    (p: { flavor: string; project: string }) =>
      `Flavor access not found for ${p.flavor} / ${p.project} combination.`,
  ],
  MARKER_NOT_FOUND: [
    "invalid",
    (p: { marker: string }) => `Marker ${p.marker} could not be found.`,
    { field: "marker" },
  ],
  KEY_PAIR_EXISTS: ["exists", (p: { name: string }) => `Key pair '${p.name}' already exists.`],
  KEY_PAIR_NOT_FOUND: ["missing", (p: { name: string }) => `Keypair ${p.name} not found for user`],
  KEY_PAIR_QUOTA: [
    "quota",
    (p: { limit: number }) => `Quota exceeded, too many key pairs (${p.limit} allowed).`,
    { subject: "key_pairs" },
  ],
  AGGREGATE_NOT_FOUND: [
    "missing",
    (p: { aggregate: string }) => `Aggregate ${p.aggregate} could not be found.`,
  ],
  AGGREGATE_EXISTS: ["exists", (p: { name: string }) => `Aggregate ${p.name} already exists.`],
  AGGREGATE_HAS_HOSTS: [
    "refused",
    (p: { aggregate: string }) => `Cannot delete aggregate ${p.aggregate}: it is not empty.`,
  ],
  HOST_IN_AGGREGATE: [
    "exists",
    (p: { host: string; aggregate: string }) => `Aggregate ${p.aggregate} already has host ${p.host}.`,
  ],
  HOST_NOT_IN_AGGREGATE: [
    "missing",
    (p: { host: string; aggregate: string }) => `Cannot remove host ${p.host} in aggregate ${p.aggregate}`,
  ],
  HOST_IN_OTHER_ZONE: [
    "refused",
    (p: { host: string; zone: string }) => `Host ${p.host} is already in availability zone ${p.zone}.`,
  ],
  SERVER_GROUP_NOT_FOUND: [
    "missing",
    (p: { group: string }) => `Instance group ${p.group} could not be found.`,
  ],
  SERVER_GROUP_GONE: [
    "invalid",
    (p: { group: string }) => `Instance group ${p.group} could not be found.`,
    { field: "scheduler_hints" },
  ],
  SERVER_GROUP_QUOTA: [
    "quota",
    (_p: { limit: number }) => "Quota exceeded, too many server groups.",
    { subject: "server_groups" },
  ],
  SERVER_GROUP_MEMBER_QUOTA: [
    "quota",
    (_p: { limit: number }) => "Quota exceeded, too many servers in group",
    { subject: "server_group_members" },
  ],
  GROUP_POLICY_VIOLATED: [
    "refused",
    (p: { policy: string }) => `The server group's ${p.policy} policy was violated.`,
  ],
  SERVICE_NOT_FOUND: ["missing", (p: { service: string }) => `Service ${p.service} could not be found.`],
  SERVICE_HAS_INSTANCES: [
    "refused",
    (_p: { host: string }) => `Unable to delete compute service that is hosting instances.`,
  ],
  SERVICE_HAS_MIGRATIONS: [
    "refused",
    (_p: { host: string }) => `Unable to delete compute service that has in-progress migrations.`,
  ],
  CONSOLE_TOKEN_NOT_FOUND: ["missing", (_p: Record<string, never>) => "Token not found"],
  HOST_NOT_FOUND: ["missing", (p: { host: string }) => `Compute host ${p.host} could not be found.`],
  WRONG_CELL: ["forbidden", (_p: { cell: string }) => "An agent may only speak to its own cell."],
  WRONG_OPERATION: [
    "forbidden",
    (_p: { operation: string }) => "An agent may only speak of operations that work on its own host.",
  ],
  WRONG_BINARY: ["forbidden", (_p: { binary: string }) => "An agent may only register a compute service."],
  SIGNAL_NOT_YOURS: [
    "forbidden",
    (p: { kind: string; caller: string }) => `${p.caller} may not send signals of kind ${p.kind}.`,
  ],
  TOO_MANY_SIGNALS: [
    "quota",
    (_p: { operation: string }) => "Too many signals wait for this operation already.",
    { subject: "waiting_signals" },
  ],
  WRONG_HOST: ["forbidden", (_p: { host: string }) => "An agent may only speak for its own host."],
  STALE_EPOCH: [
    "refused",
    (p: { host: string; epoch: string }) => `A newer agent of host ${p.host} is registered.`,
  ],
  SECRET_KEY_UNKNOWN: [
    "internal",
    (_p: { key: string }) => "An unexpected error prevented the server from fulfilling the request.",
  ],
  SORT_KEY_INVALID: [
    "invalid",
    (p: { field: string }) => `Sort key ${p.field} is not supported.`,
    { field: "sort" },
  ],
});
