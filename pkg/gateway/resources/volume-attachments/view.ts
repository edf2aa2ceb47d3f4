import type { VolumeAttachment } from "../../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { Json } from "../../http/json.js";
import type { Microversion } from "../../microversion/version.js";
import { since, until } from "../../microversion/version.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

const said: readonly Field<VolumeAttachment, undefined>[] = [
  { name: "tag", span: since("2.70"), value: (one) => one.tag ?? null },
  { name: "delete_on_termination", span: since("2.79"), value: (one) => one.deleteOnTermination },
];

const view = new View<VolumeAttachment, undefined>("volume attachment", [
  { name: "id", span: until("2.88"), value: (one) => one.volumeId },
  { name: "volumeId", value: (one) => one.volumeId },
  { name: "serverId", value: (one) => one.serverId },
  // One that is not chosen yet is not named.
  { name: "device", value: (one) => one.device },
  ...said,
  { name: "attachment_id", span: since("2.89"), value: (one) => one.attachmentId },
  { name: "bdm_uuid", span: since("2.89"), value: (one) => one.blockDeviceId },
]);

/** A volume of a server as its routes show it. */
export const shownAttachment = (one: VolumeAttachment, version: Microversion): Record<string, Json> =>
  view.shape(version, []).render(one, undefined);

const newView = new View<VolumeAttachment, undefined>("new volume attachment", [
  { name: "id", value: (one) => one.volumeId },
  { name: "serverId", value: (one) => one.serverId },
  { name: "volumeId", value: (one) => one.volumeId },
  { name: "device", value: (one) => one.device ?? null },
  ...said,
]);

/** A volume as it is answered when it is attached, up to 2.100. */
export const shownNewAttachment = (one: VolumeAttachment, version: Microversion): Record<string, Json> =>
  newView.shape(version, []).render(one, undefined);
