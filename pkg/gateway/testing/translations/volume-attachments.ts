import type { Translation } from "./translation.js";
import { OTHER, SERVER, post, put } from "./translation.js";

const path = `/servers/${SERVER}/os-volume_attachments`;
const wait = { seconds: 50n, nanos: 0 };
const old = { refuseMultiattach: true, refuseShelved: true };

export default [
  [
    "GET /servers/{id}/os-volume_attachments",
    `${path}?limit=1&offset=1`,
    {},
    "listVolumeAttachments",
    { serverId: SERVER, pageSize: 1000 },
  ],
  [
    "GET /servers/{id}/os-volume_attachments/{sub}",
    `${path}/${OTHER}`,
    {},
    "getVolumeAttachment",
    { serverId: SERVER, volumeId: OTHER },
  ],
  [
    "POST /servers/{id}/os-volume_attachments",
    path,
    post({ volumeAttachment: { volumeId: OTHER, device: null } }),
    "attachVolume",
    { serverId: SERVER, volumeId: OTHER, wait, ...old },
  ],
  [
    "POST /servers/{id}/os-volume_attachments",
    path,
    {
      ...post({
        volumeAttachment: {
          volumeId: OTHER,
          device: "/dev/vdc",
          tag: "data",
          delete_on_termination: "True",
        },
      }),
      version: "2.79",
    },
    "attachVolume",
    { serverId: SERVER, volumeId: OTHER, device: "/dev/vdc", tag: "data", deleteOnTermination: true, wait },
  ],
  [
    "POST /servers/{id}/os-volume_attachments",
    path,
    { ...post({ volumeAttachment: { volumeId: OTHER } }), version: "2.101" },
    "attachVolume",
    { serverId: SERVER, volumeId: OTHER },
  ],
  [
    "PUT /servers/{id}/os-volume_attachments/{sub}",
    `${path}/${OTHER}`,
    put({ volumeAttachment: { volumeId: SERVER } }),
    "updateVolumeAttachment",
    { serverId: SERVER, volumeId: OTHER, newVolumeId: SERVER, onlySwap: true },
  ],
  [
    "PUT /servers/{id}/os-volume_attachments/{sub}",
    `${path}/${OTHER}`,
    {
      ...put({
        volumeAttachment: {
          volumeId: OTHER,
          id: OTHER,
          serverId: SERVER,
          device: null,
          tag: "data",
          delete_on_termination: "no",
        },
      }),
      version: "2.85",
    },
    "updateVolumeAttachment",
    {
      serverId: SERVER,
      volumeId: OTHER,
      newVolumeId: OTHER,
      deleteOnTermination: false,
      unchanged: { device: "", tag: "data", id: OTHER, serverId: SERVER },
    },
  ],
  [
    "DELETE /servers/{id}/os-volume_attachments/{sub}",
    `${path}/${OTHER}`,
    { method: "DELETE" },
    "detachVolume",
    { serverId: SERVER, volumeId: OTHER, refuseShelved: true },
  ],
  [
    "DELETE /servers/{id}/os-volume_attachments/{sub}",
    `${path}/${OTHER}`,
    { method: "DELETE", version: "2.20" },
    "detachVolume",
    { serverId: SERVER, volumeId: OTHER },
  ],
] satisfies readonly Translation[];
