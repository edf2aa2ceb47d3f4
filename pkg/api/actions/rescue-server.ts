import type { RescueServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { KilonovaError } from "../../kernel/index.js";
import type { LoadedServer } from "../cells/servers.js";
import { isOnVolume } from "../cells/servers.js";
import type { AcceptedImage } from "../create/image.js";
import { acceptImage } from "../create/image.js";
import { imageRefOf } from "../create/server-record.js";
import { makePassword } from "../crypto/chance.js";
import { CreateErrors, RescueErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { optionalUuid } from "../shape/common.js";
import { given, text } from "../shape/shape.js";
import { action } from "./action.js";
import type { ActionInput } from "./action.js";

interface Asked extends ActionInput {
  readonly secrets: { readonly adminPassword: string; readonly userData: string };
}

export default action<RescueServerRequest, Asked>({
  method: "RescueServer",
  shape: { imageId: given(optionalUuid), adminPassword: given(text({ max: 255 })) },
  input: async (ctx, { serverId, imageId, adminPassword = makePassword() }, loaded, parts) => {
    const image = await rescueImage(parts, ctx, loaded, imageId);
    const { info, properties, kernel, ramdisk } = image;
    return {
      input: {
        image: imageRefOf(info, properties),
        kernel: kernel && imageRefOf(kernel, new Map()),
        ramdisk: ramdisk && imageRefOf(ramdisk, new Map()),
      },
      secrets: { adminPassword, userData: await userDataOf(parts, ctx, serverId, loaded) },
    };
  },
  answer: (_ctx, { replayed, asked }) => (replayed ? {} : { adminPassword: asked.secrets.adminPassword }),
});

/**
 * The image that is asked for, else the one from which the server's own was made, else that itself. All of
 * its bytes are fetched later with the service's rights, so the caller's must do now.
 * @throws IMAGE_NOT_FOUND, IMAGE_NOT_ACTIVE, IMAGE_UNACCEPTABLE, BAD_IMAGE_PROPERTIES, VOLUME_BACKED
 * @source nova compute api: rescue; compute manager: _get_rescue_image
 */
async function rescueImage(
  parts: Parts,
  ctx: Call,
  { server, record }: LoadedServer,
  asked: string | undefined,
): Promise<AcceptedImage> {
  const own = server.image;
  const imageId = asked ?? (own?.properties.get("base_image_ref") || own?.id);
  if (imageId === undefined) throw RescueErrors.VOLUME_BACKED({ server: server.id, stable: false });
  const image = await usableImage(parts, ctx, imageId);
  if (isOnVolume({ server, record }))
    throw RescueErrors.VOLUME_BACKED({ server: server.id, stable: isStable(image) });
  if (image.info.status !== "active") throw CreateErrors.IMAGE_NOT_ACTIVE({ image: image.info.id });
  return image;
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

/** For the config drive; base64. */
async function userDataOf(
  parts: Parts,
  ctx: Call,
  serverId: string,
  { server }: LoadedServer,
): Promise<string> {
  if (!server.configDrive) return "";
  return (await parts.servers.load(ctx, serverId, { withUserData: true })).server.userData;
}
