import type { RebuildServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import { BlockDevice, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { canonicalIpOr } from "../../model/ip-address.js";
import type { LoadedServer } from "../cells/servers.js";
import { isOnVolume, ownerOf } from "../cells/servers.js";
import { keyPairOf } from "../create/gather.js";
import type { AcceptedImage } from "../create/image.js";
import { acceptImage } from "../create/image.js";
import { imageRefOf } from "../../clients/glance/index.js";
import { keyFields, shownImage } from "../create/server-record.js";
import { makePassword } from "../crypto/chance.js";
import { configDriveOf, diskConfigOf } from "../domain/disk-config.js";
import { requireFit, requireVolumeFit } from "../domain/image-fit.js";
import { requireFileLimits, requireMetadataLimit } from "../domain/injected-limits.js";
import type { Limits } from "../domain/injected-limits.js";
import { ApiErrors, RebuildErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { asRebuild } from "./refusals.js";
import { rootVolume } from "./root-volume.js";
import type { RootVolume } from "./root-volume.js";
import { rebuildPaths } from "./shape.js";
import type { RebuildPath } from "./shape.js";

/** What a rebuild comes to, everything checked that does not hang on the server's state. */
export interface RebuildPlan {
  readonly input: RebuildInput;
  readonly secrets: ServerSecrets;
}

/** What is asked for, in one piece. */
interface Asked {
  readonly request: RebuildServerRequest;
  readonly loaded: LoadedServer;
  readonly values: Server;
  readonly paths: ReadonlySet<RebuildPath>;
}

/**
 * Rights, then what the request says by itself, then everything that it refers to. @throws what RebuildServer
 * refuses
 */
export async function planRebuild(
  parts: Parts,
  ctx: Call,
  request: RebuildServerRequest,
  loaded: LoadedServer,
): Promise<RebuildPlan> {
  const paths = rebuildPaths(request.updateMask);
  const asked: Asked = { request, loaded, paths, values: request.server ?? Server.fromPartial({}) };
  if (paths.has("trusted_image_certificates"))
    ctx.rights.enforce("os_compute_api:servers:rebuild:trusted_certs", ownerOf(loaded.server));
  requireText(asked, "name", asked.values.name);
  requireText(asked, "hostname", asked.values.hostname);
  const onVolume = isOnVolume(loaded);
  if (onVolume && asked.paths.has("trusted_image_certificates") && hasCertificates(asked))
    throw RebuildErrors.CERTIFICATES_NEED_IMAGE({});
  return asRebuild(() => gather(parts, ctx, asked, onVolume));
}

const hasCertificates = ({ values }: Asked): boolean => values.trustedImageCertificates.length > 0;

function requireText({ paths }: Asked, path: RebuildPath, value: string): void {
  if (!paths.has(path) || value !== "") return;
  const [field, problem] = [`server.${path}`, "must not be empty"];
  throw ApiErrors.INVALID_REQUEST({ field, problem }, { violations: [{ field, description: problem }] });
}

async function gather(parts: Parts, ctx: Call, asked: Asked, onVolume: boolean): Promise<RebuildPlan> {
  const { request, loaded, values, paths } = asked;
  const { server, record } = loaded;
  const reads = [
    keyPairOf(parts, ctx, paths.has("key_name") ? values.keyName : undefined),
    acceptImage(parts, ctx, request.imageId),
    limitsOf(parts, ctx, asked),
    onVolume ? rootVolume(parts, ctx, request, loaded) : Promise.resolve(undefined),
  ] as const;
  await Promise.allSettled(reads); // All of them, so that the refusal told does not depend on who is fastest.
  const [keyPair, image, limits] = [await reads[0], await reads[1], await reads[2]];
  const root = await reads[3];
  const asksDiskConfig = paths.has("disk_config") ? values.diskConfig : DiskConfig.DISK_CONFIG_UNSPECIFIED;
  const diskConfig = diskConfigOf(asksDiskConfig, image);
  if (paths.has("metadata")) requireMetadataLimit(values.metadata.size, limits);
  requireFileLimits(request.files, limits);
  const flavor = server.flavor ?? Flavor.fromPartial({});
  if (root === undefined)
    requireFit(image.info, flavor, ctx.rights.allows("os_compute_api:servers:create:zero_disk_flavor"));
  else requireVolumeFit(image.info, flavor, rootDisk(root));
  const configDrive = configDriveOf(server.configDrive, image, parts.config.forceConfigDrive);
  const given = (...of: RebuildPath[]): RebuildPath[] => of.filter((path) => paths.has(path));
  const keys = keyFields(keyPair);
  const { trustedImageCertificates } = values;
  // Of what is on a volume the spec has the properties alone, unless an image has brought the volume along.
  const keepsImage = root === undefined || record.spec?.image !== undefined;
  return {
    input: RebuildInput.fromPartial({
      server: {
        ...(root === undefined ? { image: shownImage(image) } : {}),
        diskConfig,
        configDrive,
        name: values.name,
        hostname: values.hostname,
        description: values.description ?? "",
        hasDescription: values.description !== undefined,
        metadata: values.metadata,
        keyName: keys.keyName,
        accessIpV4: canonicalIpOr(values.accessIpV4 ?? ""),
        accessIpV6: canonicalIpOr(values.accessIpV6 ?? ""),
        trustedImageCertificates,
      },
      serverMask: [
        // A server on a volume shows no image, as in Nova.
        ...(root === undefined ? ["image"] : []),
        ...["disk_config", "config_drive"],
        ...given("name", "hostname", "description", "metadata", "key_name", "access_ip_v4", "access_ip_v6"),
        ...given("trusted_image_certificates"),
      ],
      spec: {
        ...imagesOf(image),
        ...(keepsImage ? {} : { image: undefined, ...onVolumeOf(image) }),
        ...keys,
        files: request.files,
        diskConfig,
        configDrive,
        trustedImageCertificates,
      },
      specMask: [
        keepsImage ? "image" : "volume_image_properties",
        // Left out while it is the same, mostly 0: an older build does not know it.
        ...(keepsImage || image.info.minRamMib === (record.spec?.volumeImageMinMemoryMib ?? 0)
          ? []
          : ["volume_image_min_memory_mib"]),
        ...["kernel", "ramdisk", "files", "disk_config", "config_drive"],
        ...(paths.has("key_name") ? ["key_name", "public_key", "key_type"] : []),
        ...given("trusted_image_certificates"),
      ],
      newUserData: paths.has("user_data"),
      preserveEphemeral: request.preserveEphemeral,
      otherImage: root?.isOther ?? image.info.id !== server.image?.id,
      imageId: image.info.id,
      ...(root?.reimages === true
        ? {
            reimage: {
              volumeId: root.volume.id,
              imageId: image.info.id,
              imageSizeBytes: BigInt(image.info.sizeBytes ?? 0),
            },
          }
        : {}),
    }),
    secrets: {
      adminPassword: request.adminPassword ?? makePassword(),
      userData: paths.has("user_data") ? (values.userData?.toString("base64") ?? "") : server.userData,
      userToken: "",
    },
  };
}

/** As far as an image has to fit it: one that stays as it is was judged when it was made. */
const rootDisk = ({ volume, reimages }: RootVolume): BlockDevice =>
  BlockDevice.fromPartial({
    source: reimages
      ? BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE
      : BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
    sizeGib: volume.sizeGib,
  });

const imagesOf = ({ info, properties, kernel, ramdisk }: AcceptedImage) => ({
  image: imageRefOf(info, properties),
  kernel: kernel && imageRefOf(kernel, new Map()),
  ramdisk: ramdisk && imageRefOf(ramdisk, new Map()),
});

/** What is known of an image whose data is on a volume. */
const onVolumeOf = ({ info, properties }: AcceptedImage) => ({
  volumeImageProperties: new Map(properties),
  volumeImageMinMemoryMib: info.minRamMib,
});

/** Only read when something is limited by them. */
async function limitsOf(parts: Parts, ctx: Call, { request, paths }: Asked): Promise<Limits> {
  if (!paths.has("metadata") && request.files.length === 0) return new Map();
  const { projectId, userId } = ctx.actor;
  const { limits } = await parts.global.getQuota(ctx, { projectId, userId });
  return new Map(limits.map(({ resource, limit }) => [resource, { limit }]));
}
