import type { CreateImageInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { Quiesce } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Server } from "../../gen/kilonova/cells/v1/server.js";
import type { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import type { OperationResult } from "../../gen/kilonova/type/v1/operation.js";
import { isVolumeBacked } from "./boot-devices.js";
import { canonicalImageProperties, hasGuestAgent } from "./image-properties.js";
import type { Ended } from "./operation-declaration.js";

/** Lasting states of servers of which images can be made. @source compute-api-states §3 */
export const IMAGE_STATES: readonly VmState[] = [
  VmState.VM_STATE_ACTIVE,
  VmState.VM_STATE_STOPPED,
  VmState.VM_STATE_PAUSED,
  VmState.VM_STATE_SUSPENDED,
];

/** The step that makes the image, which is there from its end on. */
export const CREATE_IMAGE_STEP = "create-image";

/** What operations that make an image answer. */
export const imageOf = ({ outputOf }: Ended): OperationResult["outcome"] => {
  const made = outputOf(CREATE_IMAGE_STEP);
  return typeof made === "object" && made !== null && "imageId" in made && typeof made.imageId === "string"
    ? { $case: "image", value: { id: made.imageId } }
    : undefined;
};

/**
 * What an image takes from the one that its server was made of: everything but what says where that one's
 * data comes from and who has signed it, and what Nova's default configuration leaves out.
 */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  "mappings",
  "block_device_mapping",
  "img_mappings",
  "img_block_device_mapping",
  "cinder_encryption_key_id",
  "cinder_encryption_key_deletion_policy",
  "img_signature",
  "img_signature_hash_method",
  "img_signature_key_type",
  "img_signature_certificate_uuid",
  "cache_in_nova",
  "bittorrent",
]);
/** Said anew of a server on volumes. */
const SAID_OF_VOLUMES: ReadonlySet<string> = new Set([
  "bdm_v2",
  "root_device_name",
  "img_bdm_v2",
  "img_root_device_name",
]);
/** Reserved by the Image service. */
const RESERVED = "os_glance";

/** What the user wants. */
export interface WantedImage {
  readonly imageId: string;
  readonly name: string;
  readonly kind: "snapshot" | "backup";
  /** His properties. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Of backups. */
  readonly backupType?: string;
  readonly userId: string;
  readonly projectId: string;
}

/**
 * Everything that the image of a server says of itself. What the user says wins over what is inherited, as in
 * Nova; what the host's copy is, is said once it is made.
 */
export function imageOfServer(
  server: Server,
  spec: ServerSpec | undefined,
  wanted: WantedImage,
): CreateImageInput {
  const isOthers = wanted.projectId !== server.projectId;
  const volumeBacked = spec !== undefined && isVolumeBacked(spec);
  const inherited = server.image?.properties ?? spec?.volumeImageProperties ?? new Map<string, string>();
  const properties = new Map<string, string>([
    ...[...inherited].filter(
      ([name]) =>
        !NOT_INHERITED.has(name) &&
        !name.startsWith(RESERVED) &&
        !(volumeBacked && SAID_OF_VOLUMES.has(name)),
    ),
    ...named("base_image_ref", server.image?.id),
    ...named("boot_roles", spec?.bootRoles.join(",")),
    ...named("kernel_id", spec?.kernel?.id),
    ...named("ramdisk_id", spec?.ramdisk?.id),
    ["owner_id", server.projectId],
    ["image_location", "snapshot"],
    ["image_state", "available"],
    ["instance_uuid", server.id],
    ["user_id", wanted.userId],
    ["image_type", wanted.kind],
    ...wanted.metadata,
    // Also a type without a name is one.
    ...(wanted.backupType === undefined ? [] : [["backup_type", wanted.backupType] as const]),
    ...named("instance_owner", isOthers ? server.projectId : undefined),
  ]);
  return {
    imageId: wanted.imageId,
    name: wanted.name,
    owner: wanted.projectId,
    memberProjectId: isOthers ? server.projectId : "",
    properties,
    minDiskGib: Math.max(spec?.image?.minDiskGib ?? 0, server.flavor?.rootGib ?? 0),
    minMemoryMib: spec?.image?.minMemoryMib ?? 0,
    quiesce: quiesceOf(spec?.image?.properties ?? inherited),
    volumeBacked,
    volumeIds: volumeBacked ? server.volumes.map(({ id }) => id) : [],
  };
}

const SHELVED = "-shelved";
/** Of an image's name in the Image service. */
const MOST_CHARACTERS = 255;

/**
 * As `imageOfServer`, of one that is shelved: named after it, as in Nova, as far as there is room. Its guest
 * stands still, so that there is nothing to freeze.
 */
export function imageOfShelved(
  server: Server,
  spec: ServerSpec | undefined,
  wanted: Pick<WantedImage, "imageId" | "userId" | "projectId">,
): CreateImageInput {
  const name = [...server.name].slice(0, MOST_CHARACTERS - SHELVED.length).join("");
  const image = { ...wanted, name: `${name}${SHELVED}`, kind: "snapshot", metadata: new Map() } as const;
  return { ...imageOfServer(server, spec, image), quiesce: Quiesce.QUIESCE_UNSPECIFIED };
}

const named = (name: string, value: string | undefined): [string, string][] =>
  value === undefined || value === "" ? [] : [[name, value]];

/** Whoever has an agent inside is frozen for the moment; who must be is not copied otherwise. */
function quiesceOf(properties: ReadonlyMap<string, string>): Quiesce {
  const canonical = canonicalImageProperties(properties);
  if (canonical.get("os_require_quiesce") === "true") return Quiesce.QUIESCE_REQUIRED;
  return hasGuestAgent(canonical) ? Quiesce.QUIESCE_IF_POSSIBLE : Quiesce.QUIESCE_UNSPECIFIED;
}
