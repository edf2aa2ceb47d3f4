import { defineErrors } from "../kernel/index.js";

/**
 * Every reason that the api itself gives; those of `cells` (quota, states, tokens) pass through unchanged.
 * Texts follow Nova's.
 */
export const ApiErrors = defineErrors("api", {
  INVALID_REQUEST: [
    "invalid",
    (p: { field: string; problem: string }) => `Invalid input for field ${p.field}: ${p.problem}`,
    { field: "{field}" },
  ],
  BAD_PAGE_TOKEN: [
    "invalid",
    (p: { token?: "page" | "resume" }) => `The ${p.token ?? "page"} token is not valid for this request.`,
    { field: "page_token" },
  ],
  TOO_MANY_WATCHES: [
    "quota",
    (p: { who: string; limit: number; retryAfterMs: number }) =>
      `There are ${p.limit} open watches of ${p.who}; no more are let in.`,
    { subject: "watches" },
  ],
  MARKER_NOT_FOUND: [
    "invalid",
    (p: { marker: string }) => `marker [${p.marker}] not found`,
    { field: "marker" },
  ],
  NOT_AUTHORIZED: ["forbidden", (p: { what: string }) => p.what],
  LIST_UNAVAILABLE: ["unavailable", (_p: Record<string, never>) => "Service is unavailable at this time."],

  MIGRATION_NOT_FOUND: [
    "missing",
    (p: { migration: string }) => `Migration ${p.migration} could not be found.`,
  ],
  SERVER_NOT_FOUND: ["missing", (p: { server: string }) => `Instance ${p.server} could not be found.`],
  METADATA_ITEM_NOT_FOUND: ["missing", (_p: { key: string }) => "Metadata item was not found"],
  TAG_NOT_FOUND: [
    "missing",
    (p: { server: string; tag: string }) => `Server ${p.server} has no tag '${p.tag}'`,
  ],
  PIN_CONFLICT: [
    "conflict",
    (p: { problem: string }) => `The server cannot be pinned to this availability zone: ${p.problem}.`,
  ],
  CONSOLE_TYPE_INVALID: [
    "invalid",
    (p: { type: string }) => `Invalid console type ${p.type}`,
    { field: "type" },
  ],
  CONSOLE_TYPE_UNAVAILABLE: [
    "invalid",
    (p: { type: string }) => `Unavailable console type ${p.type}.`,
    { field: "type" },
  ],
  CONSOLE_NOT_READY: ["refused", (p: { server: string }) => `Instance ${p.server} is not ready`],
  NOT_READY: ["refused", (p: { server: string }) => `Instance ${p.server} is not ready`],
  INSTANCE_LOCKED: ["refused", (p: { server: string }) => `Instance ${p.server} is locked`],
  INVALID_STATE: [
    "refused",
    (p: { server: string; method: string; attr: string; state: string }) =>
      p.attr === "never-launched"
        ? `Instance ${p.server} is in an invalid state for '${p.method}'`
        : `Cannot '${p.method}' instance ${p.server} while it is in ${p.attr} ${p.state}`,
  ],
  OPERATION_NOT_FOUND: [
    "missing",
    (p: { operation: string }) => `Operation ${p.operation} could not be found.`,
  ],
  ACTION_NOT_FOUND: [
    "missing",
    (p: { action: string }) => `Action for request_id ${p.action} on instance could not be found`,
  ],

  FLAVOR_NOT_FOUND: ["missing", (p: { flavor: string }) => `Flavor ${p.flavor} could not be found.`],
  FLAVOR_ACCESS_NOT_FOUND: ["missing", (p: { why: string }) => p.why],
  FLAVOR_IS_PUBLIC: ["refused", (_p: Record<string, never>) => "Can not add access to a public flavor."],
  PROJECT_NOT_FOUND: [
    "invalid",
    (p: { project: string }) => `Project ID ${p.project} is not a valid project.`,
    { field: "project_id" },
  ],
  KEY_PAIR_NOT_FOUND: [
    "missing",
    (p: { name: string; user: string }) => `Keypair ${p.name} not found for user ${p.user}`,
  ],
  BAD_PUBLIC_KEY: [
    "invalid",
    (p: { why: string }) => `Keypair data is invalid: ${p.why}`,
    { field: "public_key" },
  ],

  AGGREGATE_NOT_FOUND: [
    "missing",
    (p: { aggregate: string }) => `Aggregate ${p.aggregate} could not be found.`,
  ],
  IMAGE_NOT_FOUND: ["missing", (p: { image: string }) => `Image ${p.image} could not be found.`],
  IMAGE_NOT_ACTIVE: [
    "invalid",
    (p: { image: string }) => `Image ${p.image} is not active.`,
    { field: "image_ids" },
  ],
  HOST_NOT_IN_AGGREGATE: [
    "missing",
    (p: { host: string; aggregate: string }) => `Cannot remove host ${p.host} in aggregate ${p.aggregate}`,
  ],
  COMPUTE_HOST_NOT_FOUND: ["missing", (p: { host: string }) => `Compute host ${p.host} could not be found.`],
  HOST_ZONE_IN_USE: [
    "refused",
    (p: { host: string }) => `Host ${p.host} has servers: its availability zone cannot change under them.`,
  ],
  ZONE_IN_USE: [
    "refused",
    (p: { aggregate: string }) =>
      `Cannot update aggregate ${p.aggregate}: some of its hosts have servers, whose availability zone cannot change.`,
  ],
  ZONE_CONFLICT: [
    "refused",
    (p: { host: string; zone: string }) => `Host ${p.host} is already in availability zone ${p.zone}.`,
  ],
  SERVER_GROUP_NOT_FOUND: [
    "missing",
    (p: { group: string }) => `Instance group ${p.group} could not be found.`,
  ],
  RULES_NEED_ANTI_AFFINITY: [
    "invalid",
    (_p: Record<string, never>) => "Only anti-affinity policy supports rules.",
    { field: "max_server_per_host" },
  ],
  SERVICE_NOT_FOUND: ["missing", (p: { service: string }) => `Service ${p.service} could not be found.`],
  SERVICE_AMBIGUOUS: [
    "invalid",
    (p: { service: string }) => `Service id ${p.service} refers to multiple services.`,
    { field: "service_id" },
  ],
  NOT_A_COMPUTE_SERVICE: [
    "invalid",
    (p: { binary: string }) =>
      `Updating a ${p.binary} service is not supported. Only nova-compute services can be updated.`,
    { field: "service_id" },
  ],
  HOST_BINARY_NOT_FOUND: [
    "missing",
    (p: { host: string; binary: string }) => `Could not find binary ${p.binary} on host ${p.host}.`,
  ],
  HOST_HAS_SERVERS: [
    "refused",
    (_p: Record<string, never>) =>
      "Unable to delete compute service that is hosting instances. Migrate or delete the instances first.",
  ],
  HOST_HAS_MIGRATIONS: [
    "refused",
    (_p: Record<string, never>) =>
      "Unable to delete compute service that has in-progress migrations. Complete the migrations or delete the instances first.",
  ],
  HYPERVISOR_NOT_FOUND: [
    "missing",
    (p: { hypervisor: string }) => `Compute host ${p.hypervisor} could not be found.`,
  ],
});

/** Nova's words differ from list to list. */
export const MigrationErrors = defineErrors("api", {
  MARKER_NOT_FOUND: [
    "invalid",
    (p: { marker: string }) => `Marker ${p.marker} could not be found.`,
    { field: "marker" },
  ],
});

/** What is refused of a server's interfaces and security groups. */
export const InterfaceErrors = defineErrors("api", {
  INVALID_REQUEST: ["invalid", (p: { field: string; problem: string }) => p.problem, { field: "{field}" }],
  PORT_NOT_FOUND: [
    "missing",
    (p: { port: string; server?: string }) =>
      p.server === undefined
        ? `Port id ${p.port} could not be found.`
        : `Instance ${p.server} does not have a port with id ${p.port}`,
  ],
  PORT_NOT_USABLE: [
    "invalid",
    (p: { port: string; server: string }) => `Port ${p.port} not usable for instance ${p.server}.`,
    { field: "port_id" },
  ],
  PORT_IN_USE: ["conflict", (p: { port: string }) => `Port ${p.port} is still in use.`],
  PORT_WITHOUT_ADDRESS: [
    "invalid",
    (p: { port: string }) => `Port ${p.port} requires a FixedIP in order to be used.`,
    { field: "port_id" },
  ],
  NETWORK_NOT_FOUND: ["missing", (p: { network: string }) => `Network ${p.network} could not be found.`],
  NETWORK_AMBIGUOUS: [
    "invalid",
    (_p: Record<string, never>) =>
      "More than one possible network found. Specify network ID(s) to select which one(s) to connect to.",
    { field: "network_id" },
  ],
  NO_NETWORK: [
    "invalid",
    (p: { project: string }) =>
      `No specific network was requested and none are available for project '${p.project}'.`,
    { field: "network_id" },
  ],
  NETWORK_WITHOUT_SUBNET: [
    "invalid",
    (p: { network: string }) => `Network ${p.network} requires a subnet in order to boot instances on.`,
    { field: "network_id" },
  ],
  EXTERNAL_NETWORK: [
    "forbidden",
    (p: { network: string }) => `It is not allowed to create an interface on external network ${p.network}`,
  ],
  FIXED_IP_IN_USE: [
    "conflict",
    (p: { address: string }) => `Fixed IP address ${p.address} is already in use.`,
  ],
  FIXED_IP_FORBIDDEN: [
    "forbidden",
    (p: { network: string }) =>
      `It is not allowed to choose an address on network ${p.network}, which belongs to another project`,
  ],
  PORT_QUOTA: ["quota", (_p: { limit: number }) => "Maximum number of ports exceeded", { subject: "ports" }],
  PORT_SECURITY_DISABLED: [
    "invalid",
    (_p: Record<string, never>) =>
      "Network requires port_security_enabled and subnet associated in order to apply security groups.",
    { field: "security_group" },
  ],
  SECURITY_GROUP_NOT_FOUND: ["missing", (p: { why: string }) => p.why],
  SECURITY_GROUP_ID_NOT_UUID: [
    "invalid",
    (_p: Record<string, never>) => "Security group id should be uuid",
    { field: "security_group_id" },
  ],
  SECURITY_GROUP_AMBIGUOUS: [
    "refused",
    (p: { group: string }) =>
      `Multiple security_group matches found for name '${p.group}', use an ID to be more specific.`,
  ],
});

/** What a create refuses. References in a body that lead nowhere are `invalid`, not `missing`. */
export const CreateErrors = defineErrors("api", {
  FLAVOR_NOT_FOUND: [
    "invalid",
    (p: { flavor: string }) => `Flavor ${p.flavor} could not be found.`,
    { field: "flavor_id" },
  ],
  IMAGE_NOT_FOUND: [
    "invalid",
    (_p: { image: string }) => "Can not find requested image",
    { field: "image_id" },
  ],
  BAD_IMAGE_PROPERTIES: [
    "invalid",
    (p: { property: string; value: string; wanted: string }) =>
      `Invalid image metadata. Error: property ${p.property} is '${p.value}' and must be ${p.wanted}.`,
    { field: "image_id" },
  ],
  IMAGE_UNACCEPTABLE: [
    "invalid",
    (p: { image: string }) =>
      `Image ${p.image} is unacceptable: it was made of an encrypted volume and cannot be booted by itself.`,
    { field: "image_id" },
  ],
  HINTED_SERVER_NOT_FOUND: [
    "invalid",
    (p: { server: string }) => `Instance ${p.server} could not be found.`,
    { field: "scheduler_hints" },
  ],
  IMAGE_REQUIRED: [
    "invalid",
    (_p: Record<string, never>) => "Missing imageRef attribute",
    { field: "image_id" },
  ],
  CERTIFICATES_NEED_IMAGE: [
    "invalid",
    (_p: Record<string, never>) => "Image certificate validation is not supported when booting from volume",
    { field: "trusted_image_certificates" },
  ],
  IMAGE_NOT_ACTIVE: [
    "invalid",
    (p: { image: string }) => `Image ${p.image} is not active.`,
    { field: "image_id" },
  ],
  FLAVOR_MEMORY_TOO_SMALL: [
    "invalid",
    (_p: Record<string, never>) => "Flavor's memory is too small for requested image.",
    { field: "flavor_id" },
  ],
  FLAVOR_DISK_SMALLER_THAN_IMAGE: [
    "invalid",
    (p: { flavorBytes: bigint; imageBytes: bigint }) =>
      `Flavor's disk is too small for requested image. Flavor disk is ${p.flavorBytes} bytes, image is ${p.imageBytes} bytes.`,
    { field: "flavor_id" },
  ],
  FLAVOR_DISK_SMALLER_THAN_MIN_DISK: [
    "invalid",
    (p: { flavorBytes: bigint; minBytes: bigint }) =>
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${p.flavorBytes} bytes, minimum size is ${p.minBytes} bytes.`,
    { field: "flavor_id" },
  ],
  ZERO_DISK_FLAVOR: [
    "forbidden",
    (_p: Record<string, never>) => "Only volume-backed servers are allowed for flavors with zero disk.",
  ],
  DISK_CONFIG_DISABLED: [
    "invalid",
    (p: { image: string }) => `Requested image ${p.image} has automatic disk resize disabled.`,
    { field: "disk_config" },
  ],
  KEY_PAIR_NOT_FOUND: [
    "invalid",
    (_p: { name: string }) => "Invalid key_name provided.",
    { field: "key_name" },
  ],
  NETWORK_NOT_FOUND: [
    "invalid",
    (p: { networks: string }) => `Network ${p.networks} could not be found.`,
    { field: "networks" },
  ],
  NETWORK_WITHOUT_SUBNET: [
    "invalid",
    (p: { network: string }) => `Network ${p.network} requires a subnet in order to boot instances on.`,
    { field: "networks" },
  ],
  NETWORK_AMBIGUOUS: [
    "conflict",
    (_p: Record<string, never>) =>
      "More than one possible network found. Specify network ID(s) to select which one(s) to connect to.",
  ],
  NO_NETWORK: [
    "invalid",
    (p: { project: string }) => `Unable to automatically allocate a network for project ${p.project}`,
    { field: "networks" },
  ],
  EXTERNAL_NETWORK: [
    "forbidden",
    (p: { network: string }) => `It is not allowed to create an interface on external network ${p.network}`,
  ],
  PORT_NOT_FOUND: [
    "invalid",
    (p: { port: string }) => `Port id ${p.port} could not be found.`,
    { field: "networks" },
  ],
  PORT_IN_USE: ["conflict", (p: { port: string }) => `Port ${p.port} is still in use.`],
  PORT_WITHOUT_ADDRESS: [
    "invalid",
    (p: { port: string }) => `Port ${p.port} requires a FixedIP in order to be used.`,
    { field: "networks" },
  ],
  FIXED_IP_IN_USE: [
    "invalid",
    (p: { address: string }) => `Fixed IP address ${p.address} is already in use.`,
    { field: "networks" },
  ],
  FIXED_IP_FORBIDDEN: [
    "forbidden",
    (p: { network: string }) =>
      `It is not allowed to choose an address on network ${p.network}, which belongs to another project`,
  ],
  FIXED_IP_AND_MAX_COUNT: [
    "invalid",
    (_p: Record<string, never>) =>
      "Invalid fixed IP and max count request: max_count cannot be greater than 1 if an fixed_ip is specified.",
    { field: "max_count" },
  ],
  PORTS_AND_MAX_COUNT: [
    "invalid",
    (_p: Record<string, never>) =>
      "Failed to launch multiple instances: Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.",
    { field: "max_count" },
  ],
  SECURITY_GROUP_NOT_FOUND: [
    "invalid",
    (p: { group: string; project: string }) =>
      `Security group ${p.group} not found for project ${p.project}.`,
    { field: "security_groups" },
  ],
  SECURITY_GROUP_AMBIGUOUS: [
    "conflict",
    (p: { group: string }) =>
      `Multiple security groups found matching '${p.group}'. Use an ID to be more specific.`,
  ],
  SERVER_GROUP_NOT_FOUND: [
    "invalid",
    (p: { group: string }) => `Instance group ${p.group} could not be found.`,
    { field: "scheduler_hints" },
  ],
  BAD_SERVER_GROUP_HINT: [
    "invalid",
    (_p: Record<string, never>) => "Server group scheduler hint must be a UUID.",
    { field: "scheduler_hints" },
  ],
  BAD_AVAILABILITY_ZONE: [
    "invalid",
    (_p: Record<string, never>) => "Invalid input received: Unable to parse availability_zone",
    { field: "availability_zone" },
  ],
  ZONE_NOT_AVAILABLE: [
    "invalid",
    (_p: { zone: string }) => "The requested availability zone is not available",
    { field: "availability_zone" },
  ],
  TWO_DESTINATIONS: [
    "invalid",
    (_p: Record<string, never>) =>
      "Hosts can be asked for by host and hypervisor_hostname, or by zone:host:node in availability_zone, not both.",
    { field: "availability_zone" },
  ],
  HOST_NOT_FOUND: [
    "invalid",
    (p: { host: string }) => `Compute host ${p.host} could not be found.`,
    { field: "host" },
  ],
  BAD_BLOCK_DEVICES: ["invalid", (p: { field: string; why: string }) => p.why, { field: "{field}" }],
  TOO_MANY_SERVERS: [
    "quota",
    (p: { asked: number; limit: number }) =>
      `Quota exceeded for instances: Requested ${p.asked}, but one request may make ${p.limit} instances`,
    { subject: "instances" },
  ],
  MIN_ABOVE_MAX: [
    "invalid",
    (_p: Record<string, never>) => "min_count must be <= max_count",
    { field: "min_count" },
  ],
  AMBIGUOUS_HOSTNAME: [
    "invalid",
    (_p: Record<string, never>) => "Unable to allocate a single hostname to multiple instances",
    { field: "hostname" },
  ],
  TOO_MANY_METADATA_ITEMS: [
    "quota",
    (p: { limit: bigint }) => `Maximum number of metadata items exceeds ${p.limit}`,
    { subject: "metadata_items" },
  ],
  TOO_MANY_FILES: [
    "quota",
    (_p: { limit: bigint }) => "Personality file limit exceeded",
    { subject: "injected_files" },
  ],
  FILE_PATH_TOO_LONG: [
    "quota",
    (p: { limit: bigint }) => `Personality file path exceeds maximum ${p.limit}`,
    { subject: "injected_file_path_bytes" },
  ],
  FILE_TOO_LONG: [
    "quota",
    (p: { limit: bigint }) => `Personality file content exceeds maximum ${p.limit}`,
    { subject: "injected_file_content_bytes" },
  ],
});

/** What a rebuild refuses in words of its own; the rest is as with a create. */
export const RebuildErrors = defineErrors("api", {
  VOLUME_NOT_IN_USE: ["invalid", (p: { why: string }) => p.why, { field: "server_id" }],
  CERTIFICATES_NEED_IMAGE: [
    "invalid",
    (_p: Record<string, never>) => "Image certificate validation is not supported for volume-backed servers.",
    { field: "server.trusted_image_certificates" },
  ],
  ROOT_VOLUME_UNKNOWN: [
    "refused",
    (_p: Record<string, never>) => "Unable to find root block device mapping for volume-backed instance.",
  ],
  IMAGE_UNACCEPTABLE: [
    "invalid",
    (p: { image: string }) =>
      `Image ${p.image} is unacceptable: Unable to rebuild with a different image for a volume-backed server.`,
    { field: "image_id" },
  ],
});

/** What making an image of a server refuses; what the Image service said of it comes from the operation. */
export const ServerImageErrors = defineErrors("api", {
  VOLUME_BACKED: [
    "invalid",
    (_p: Record<string, never>) => "Backup is not supported for volume-backed instances.",
    { field: "server_id" },
  ],
  SNAPSHOT_QUOTA: [
    "quota",
    (_p: Record<string, never>) => "Quota exceeded for resources: snapshots",
    { subject: "snapshots" },
  ],
  IMAGE_QUOTA: [
    "quota",
    (_p: Record<string, never>) => "The image service's limits do not allow this image.",
    { subject: "images" },
  ],
  IMAGE_INVALID: ["invalid", (p: { why: string }) => p.why, { field: "metadata" }],
  IMAGE_FORBIDDEN: ["forbidden", (p: { why: string }) => p.why],
});

/** What is refused of addresses that are changed through us, in Nova's words. */
export const AddressErrors = defineErrors("api", {
  // Nova fails with 500 here.
  INSTANCE_LOCKED: ["refused", (p: { server: string }) => `Instance ${p.server} is locked`],
  NETWORK_NOT_FOUND: [
    "missing",
    (p: { server: string }) => `Network could not be found for instance ${p.server}.`,
  ],
  NO_MORE_FIXED_IPS: [
    "invalid",
    (p: { network: string }) => `No fixed IP addresses available for network: ${p.network}`,
    { field: "network_id" },
  ],
  FIXED_IP_NOT_FOUND: [
    "invalid",
    (p: { server: string; address: string }) => `Instance ${p.server} does not have fixed IP '${p.address}'.`,
    { field: "address" },
  ],
  FLOATING_IP_NOT_FOUND: ["missing", (p: { why: string }) => p.why],
  FLOATING_IP_AMBIGUOUS: [
    "refused",
    (p: { address: string }) => `Multiple floating IPs are found for address ${p.address}.`,
  ],
  FLOATING_IP_NOT_ASSOCIATED: ["invalid", (p: { why: string }) => p.why, { field: "address" }],
  FLOATING_IP_NOT_OF_SERVER: [
    "refused",
    (p: { server: string; address: string }) =>
      `Floating IP ${p.address} is not associated with instance ${p.server}.`,
  ],
});

/** What is refused of shelved servers. */
export const ShelveErrors = defineErrors("api", {
  NOT_OFFLOADED: [
    "refused",
    (p: { server: string; state: string }) =>
      `Specifying an availability zone or a host when unshelving server "${p.server}" with status "${p.state}" is not supported. The server status must be SHELVED_OFFLOADED.`,
  ],
  HOST_NOT_IN_ZONE: [
    "refused",
    (p: { host: string; zone: string }) => `Host "${p.host}" is not in the availability zone "${p.zone}".`,
  ],
});

/** What a resize, a cold migration and their ends refuse, in Nova's words. */
export const MoveErrors = defineErrors("api", {
  SAME_FLAVOR: [
    "invalid",
    (_p: Record<string, never>) => "When resizing, instances must change flavor!",
    { field: "flavor_id" },
  ],
  ZERO_DISK_FLAVOR: [
    "invalid",
    (_p: Record<string, never>) =>
      "Server disk was unable to be resized because: Resize to zero disk flavor is not allowed.",
    { field: "flavor_id" },
  ],
  // Nova accepts it, and its hypervisor refuses.
  DISK_CANNOT_SHRINK: [
    "invalid",
    (p: { disk: "root" | "ephemeral"; fromGib: number; toGib: number }) =>
      `Server disk was unable to be resized because: the ${p.disk} disk has ${p.fromGib} GiB and cannot shrink to ${p.toGib} GiB.`,
    { field: "flavor_id" },
  ],
  SAME_HOST: [
    "invalid",
    (_p: Record<string, never>) => "Cannot migrate to the host where the server exists.",
    { field: "host" },
  ],
  MIGRATION_NOT_FOUND: [
    "invalid",
    (_p: Record<string, never>) => "Instance has not been resized.",
    { field: "server_id" },
  ],
  // Users do not hear which host it is.
  HOST_DOWN: ["refused", (_p: Record<string, never>) => "Service is unavailable at this time."],
});

/** What a rescue refuses, in Nova's words. */
export const RescueErrors = defineErrors("api", {
  VOLUME_NOT_IN_USE: ["refused", (p: { why: string }) => p.why],
  IMAGE_NOT_FOUND: [
    "invalid",
    (p: { image: string }) => `Requested rescue image '${p.image}' is not supported`,
    { field: "image_id" },
  ],
  IMAGE_UNACCEPTABLE: [
    "invalid",
    (p: { image: string }) => `Requested rescue image '${p.image}' is not supported`,
    { field: "image_id" },
  ],
  VOLUME_BACKED: [
    "invalid",
    (p: { server: string; stable: boolean }) =>
      `Instance ${p.server} cannot be rescued: ${p.stable ? "Host unable to rescue" : "Cannot rescue"} a volume-backed instance`,
    { field: "server_id" },
  ],
});

/** What may be wrong with the volumes of servers. */
export const VolumeAttachmentErrors = defineErrors("api", {
  INVALID_REQUEST: ["invalid", (p: { field: string; problem: string }) => p.problem, { field: "{field}" }],
  VOLUME_NOT_FOUND: ["missing", (p: { volume: string }) => `Volume ${p.volume} could not be found.`],
  VOLUME_ATTACHMENT_NOT_FOUND: [
    "missing",
    (p: { server: string; volume: string }) => `Instance ${p.server} is not attached to volume ${p.volume}`,
  ],
  VOLUME_ALREADY_ATTACHED: [
    "invalid",
    (p: { volume: string; problem: string }) => `Invalid volume: ${p.problem}`,
    { field: "volume_id" },
  ],
  VOLUME_ENCRYPTED: [
    "invalid",
    (p: { type: string; volume: string }) =>
      `Volume encryption is not supported for ${p.type} volume ${p.volume}`,
    { field: "volume_id" },
  ],
  MULTIATTACH_NOT_SUPPORTED: [
    "invalid",
    (_p: Record<string, never>) =>
      "Multiattach volumes are only supported starting with compute API version 2.60.",
    { field: "volume_id" },
  ],
  MULTIATTACH_WHILE_OFFLOADED: [
    "invalid",
    (_p: Record<string, never>) =>
      "Attaching multiattach volumes is not supported for shelved-offloaded instances.",
    { field: "volume_id" },
  ],
  TAG_WHILE_OFFLOADED: [
    "invalid",
    (_p: Record<string, never>) =>
      "Tagged volume attachment is not supported for shelved-offloaded instances.",
    { field: "tag" },
  ],
  ROOT_VOLUME: [
    "invalid",
    (_p: Record<string, never>) => "Cannot detach a root device volume",
    { field: "volume_id" },
  ],
  VOLUME_NOT_DETACHABLE: [
    "invalid",
    (_p: Record<string, never>) =>
      "Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach. (HTTP 400)",
    { field: "volume_id" },
  ],
  HOST_DOWN: ["refused", (_p: Record<string, never>) => "Service is unavailable at this time."],
  NOT_CHANGEABLE: [
    "invalid",
    (p: { property: string; field: string }) => `The ${p.property} property is not mutable`,
    { field: "{field}" },
  ],
  VOLUME_NOT_MIGRATING: [
    "refused",
    (p: { volume: string }) =>
      `volume ${p.volume} is not migrating; this API should only be called by Cinder`,
  ],
  VOLUME_NOT_SWAPPABLE: [
    "invalid",
    (p: { problem: string }) => `Invalid volume: ${p.problem}`,
    { field: "new_volume_id" },
  ],
  VOLUME_TOO_SMALL: [
    "invalid",
    (_p: Record<string, never>) => "Invalid volume: New volume must be the same size or larger.",
    { field: "new_volume_id" },
  ],
  MULTIATTACH_SWAP: [
    "invalid",
    (_p: Record<string, never>) =>
      "Swapping multi-attach volumes with more than one read/write attachment is not supported.",
    { field: "volume_id" },
  ],
});
