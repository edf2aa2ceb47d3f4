import type { RescueServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { KilonovaError } from "../../kernel/index.js";
import type { LoadedServer } from "../cells/servers.js";
import { isOnVolume } from "../cells/servers.js";
import { userDataOf } from "../cells/user-data.js";
import type { AcceptedImage } from "../create/image.js";
import { acceptImage } from "../create/image.js";
import { imageRefOf } from "../../clients/glance/index.js";
import { makePassword } from "../crypto/chance.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { CreateErrors, RescueErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { optionalUuid } from "../shape/common.js";
import { given, text } from "../shape/shape.js";
import { devicesOf } from "../volumes/devices.js";
import { notInUse, notInUseText, volumesOfServer } from "../volumes/volumes-in-use.js";
import { action } from "./action.js";
import type { ActionInput } from "./action.js";

interface Asked extends ActionInput {
  readonly secrets: { readonly adminPassword: string; readonly userData: string };
}

export default action<RescueServerRequest, Asked>({
  method: "RescueServer",
  shape: { imageId: given(optionalUuid), adminPassword: given(text({ max: 255 })) },
  input: async (ctx, request, loaded, parts) => {
    const { imageId, adminPassword = makePassword(), volumeBacked } = request;
    const image = await rescueImage(parts, ctx, loaded, { imageId, volumeBacked });
    const { info, properties, kernel, ramdisk } = image;
    return {
      input: {
        image: imageRefOf(info, properties),
        kernel: kernel && imageRefOf(kernel, new Map()),
        ramdisk: ramdisk && imageRefOf(ramdisk, new Map()),
      },
      secrets: { adminPassword, userData: await userDataOf(parts, ctx, loaded) },
    };
  },
  answer: (_ctx, begun) => (begun.replayed ? {} : { adminPassword: begun.asked.secrets.adminPassword }),
});

/**
 * The image that is asked for, else the one from which the server's own was made, else that itself. All of
 * its bytes are fetched later with the service's rights, so the caller's must do now.
 * @throws IMAGE_NOT_FOUND, IMAGE_NOT_ACTIVE, IMAGE_UNACCEPTABLE, BAD_IMAGE_PROPERTIES, VOLUME_BACKED,
 *   VOLUME_NOT_IN_USE
 * @source nova compute api: rescue; compute manager: _get_rescue_image
 */
async function rescueImage(
  parts: Parts,
  ctx: Call,
  loaded: LoadedServer,
  asked: { readonly imageId: string | undefined; readonly volumeBacked: boolean },
): Promise<AcceptedImage> {
  const { server } = loaded;
  const own = server.image;
  const given = asked.imageId ?? (own?.properties.get("base_image_ref") || own?.id);
  const volumes = await volumesOfServer(parts, ctx, server);
  const imageId = given ?? (await imageOnRoot(parts, ctx, loaded, volumes));
  if (imageId === undefined) throw RescueErrors.VOLUME_BACKED({ server: server.id, stable: false });
  const image = await usableImage(parts, ctx, imageId);
  const unused = notInUse(volumes);
  if (unused !== undefined) throw RescueErrors.VOLUME_NOT_IN_USE({ why: notInUseText(unused) });
  if (isOnVolume(loaded))
    await requireVolumeRescue(parts, ctx, loaded, asked.volumeBacked && isStable(image));
  if (image.info.status !== "active") throw CreateErrors.IMAGE_NOT_ACTIVE({ image: image.info.id });
  return image;
}

/** The image that the root volume was made from; undefined for none. */
async function imageOnRoot(
  parts: Parts,
  ctx: Call,
  loaded: LoadedServer,
  volumes: readonly VolumeInfo[],
): Promise<string | undefined> {
  const root = (await devicesOf(parts, ctx, loaded)).find(({ bootIndex }) => bootIndex === 0);
  return volumes.find(({ id }) => id === root?.volumeId)?.imageMetadata["image_id"];
}

/** What hosts report whose guests keep a root volume while they are rescued. */
const RESCUES_VOLUMES = "COMPUTE_RESCUE_BFV";

/**
 * @param stable  whether image and request are such as leave all disks where they are
 * @throws VOLUME_BACKED
 */
async function requireVolumeRescue(
  { hosts, guard }: Parts,
  ctx: Call,
  { server, database: cell }: LoadedServer,
  stable: boolean,
): Promise<void> {
  if (!stable) throw RescueErrors.VOLUME_BACKED({ server: server.id, stable });
  const host = server.hostInfo?.host ?? "";
  const { nodes } = await guard.call(ctx, cell, (inner) =>
    hosts.listHosts(inner, { cell, host, recordsOnly: true }),
  );
  if (host === "" || !nodes.some(({ traits }) => traits.includes(RESCUES_VOLUMES)))
    throw RescueErrors.VOLUME_BACKED({ server: server.id, stable });
}

async function usableImage(parts: Parts, ctx: Call, image: string): Promise<AcceptedImage> {
  try {
    return await acceptImage(parts, ctx, image);
  } catch (cause) {
    if (!(cause instanceof KilonovaError)) throw cause;
    if (cause.reason === "IMAGE_NOT_FOUND") throw RescueErrors.IMAGE_NOT_FOUND({ image }, { cause });
    if (cause.reason === "BAD_BLOCK_DEVICES") throw RescueErrors.IMAGE_UNACCEPTABLE({ image }, { cause });
    throw cause;
  }
}

const isStable = ({ properties }: AcceptedImage): boolean =>
  properties.has("hw_rescue_device") && properties.has("hw_rescue_bus");
