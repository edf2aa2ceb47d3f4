import { toDuration } from "../../../model/wire-time.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { booleanOf, textOf } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { MAX_LIMIT, pageOf, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { required } from "../required.js";
import { reserveFailure } from "./failure.js";
import { anyParameters, attachBody, listQuery, updateBody } from "./schemas.js";
import { shownAttachment, shownNewAttachment } from "./view.js";

/** Volumes that may have several servers. */
const manyServers = since("2.60");
/** Servers that are shelved get and lose volumes, too. */
const whileShelved = since("2.20");
/** Before, a change of an attachment was always another volume. */
const flagChanges = since("2.85");
/** From here on, an attachment has an id of its own and is shown once it has. */
const ownIds = since("2.89");
/** Nobody waits for the device any more. */
const withoutBody = since("2.101");

/** Offset-style paging: a limit of 0 means the most. */
const limitOf = (request: ApiRequest): number =>
  Math.min(Number(last(request.query, "limit") ?? 0) || MAX_LIMIT, MAX_LIMIT);

/** Volumes of servers. @param attachWaitMs  how long a volume's device is waited for: Nova answers with it */
export function volumeAttachmentRoutes(
  { volumeAttachments: api }: Pick<ApiClients, "volumeAttachments">,
  attachWaitMs: number,
): Operation[] {
  return [
    {
      route: "GET /servers/{id}/os-volume_attachments",
      query: listQuery,
      handle: async (request) => {
        const { items } = await wholePage(pageOf(new Map()), "volumeAttachments", ({ pageSize, pageToken }) =>
          api.listVolumeAttachments(request.ctx, { serverId: request.id, pageSize, pageToken }),
        );
        const skip = Number(last(request.query, "offset") ?? 0);
        const shown = items
          .slice(skip, skip + limitOf(request))
          .filter(({ attachmentId }) => attachmentId !== "" || !request.has(ownIds));
        return replyJson({ volumeAttachments: shown.map((one) => shownAttachment(one, request.version)) });
      },
    },
    {
      route: "GET /servers/{id}/os-volume_attachments/{sub}",
      query: anyParameters,
      handle: async (request) => {
        const { id: serverId, sub: volumeId } = request;
        const { volumeAttachment } = await api.getVolumeAttachment(request.ctx, { serverId, volumeId });
        const one = required(volumeAttachment, "volume attachment");
        return replyJson({ volumeAttachment: shownAttachment(one, request.version) });
      },
    },
    {
      route: "POST /servers/{id}/os-volume_attachments",
      body: attachBody,
      handle: async (request) => {
        const { operation, volumeAttachment } = await api.attachVolume(request.ctx, {
          ...askedOf(request),
          refuseMultiattach: !request.has(manyServers),
          refuseShelved: !request.has(whileShelved),
          ...(request.has(withoutBody) ? {} : { wait: toDuration(attachWaitMs) }),
        });
        if (request.has(withoutBody)) return replyEmpty;
        const failure = reserveFailure(required(operation, "operation"));
        if (failure !== undefined) throw failure;
        const one = required(volumeAttachment, "volume attachment");
        return replyJson({ volumeAttachment: shownNewAttachment(one, request.version) });
      },
    },
    {
      route: "PUT /servers/{id}/os-volume_attachments/{sub}",
      body: updateBody,
      handle: async (request) => {
        await api.updateVolumeAttachment(request.ctx, changeOf(request));
        return replyEmpty;
      },
    },
    {
      route: "DELETE /servers/{id}/os-volume_attachments/{sub}",
      handle: async (request) => {
        const { ctx, id: serverId, sub: volumeId } = request;
        await api.detachVolume(ctx, { serverId, volumeId, refuseShelved: !request.has(whileShelved) });
        return replyEmpty;
      },
    },
  ];
}

/** Null says that there is none. */
const saidOf = (asked: JsonObject, name: string): string | undefined =>
  asked[name] === null ? "" : textOf(asked, name);

function changeOf(
  request: ApiRequest,
): Parameters<ApiClients["volumeAttachments"]["updateVolumeAttachment"]>[1] {
  const asked = request.member("volumeAttachment");
  const newVolumeId = textOf(asked, "volumeId") ?? "";
  const where = { serverId: request.id, volumeId: request.sub, newVolumeId };
  if (!request.has(flagChanges)) return { ...where, onlySwap: true };
  const [device, label, otherId, serverId] = ["device", "tag", "id", "serverId"].map((name) =>
    saidOf(asked, name),
  );
  const deleteOnTermination = booleanOf(asked, "delete_on_termination");
  return {
    ...where,
    ...(deleteOnTermination === undefined ? {} : { deleteOnTermination }),
    unchanged: {
      ...(device === undefined ? {} : { device }),
      ...(label === undefined ? {} : { tag: label }),
      ...(otherId === undefined ? {} : { id: otherId }),
      ...(serverId === undefined ? {} : { serverId }),
    },
  };
}

function askedOf(request: ApiRequest): {
  serverId: string;
  volumeId: string;
  device?: string;
  tag?: string;
  deleteOnTermination: boolean;
} {
  const asked = request.member("volumeAttachment");
  const [device, tag] = ["device", "tag"].map((name) => textOf(asked, name));
  return {
    serverId: request.id,
    volumeId: textOf(asked, "volumeId") ?? "",
    ...(device === undefined ? {} : { device }),
    ...(tag === undefined ? {} : { tag }),
    deleteOnTermination: booleanOf(asked, "delete_on_termination") ?? false,
  };
}
