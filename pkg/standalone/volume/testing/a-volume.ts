import { DEFAULT_TYPE, ZONE } from "../domain/model.js";
import type { Attachment, Volume } from "../domain/model.js";

/** A volume of 1 GiB that nobody uses. */
export const aVolume = (more: Partial<Volume> = {}): Volume => ({
  id: "v",
  name: "",
  description: "",
  projectId: "p",
  userId: "u",
  sizeGib: 1,
  status: "available",
  previousStatus: null,
  task: null,
  bootable: false,
  multiattach: false,
  readOnly: false,
  typeId: "t",
  typeName: DEFAULT_TYPE,
  snapshotId: null,
  sourceVolid: null,
  availabilityZone: ZONE,
  metadata: {},
  imageMetadata: {},
  createdAt: 0n,
  updatedAt: 0n,
  attachments: [],
  ...more,
});

/** A reservation for nobody in particular. */
export const anAttachment = (more: Partial<Attachment> = {}): Attachment => ({
  id: "a",
  volumeId: "v",
  projectId: "p",
  instanceUuid: null,
  status: "reserved",
  mode: null,
  mountpoint: null,
  connector: null,
  connectionInfo: null,
  attachedAt: null,
  createdAt: 0n,
  ...more,
});
