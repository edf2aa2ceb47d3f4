import { createHash } from "node:crypto";
import { join, normalize } from "node:path";
import { z } from "zod";
import { CommonErrors } from "../../kernel/index.js";
import type { GuestVolume, VolumeAddress } from "../driver.js";
import { VolumeErrors } from "./errors.js";

/** A block device as its record has it, with how its volume is reached. */
export interface VolumeDevice {
  readonly volumeId: string;
  readonly deviceName: string;
  /** Empty for `disk`. */
  readonly deviceType: string;
  /** Empty for the driver's choice. */
  readonly diskBus: string;
  readonly bootIndex?: number | undefined;
  /** Empty for none. */
  readonly tag: string;
  /** JSON. */
  readonly connectionInfo: string;
}

/** What every protocol says, in the Block Storage service's form. */
const common = z.looseObject({
  driver_volume_type: z.string(),
  access_mode: z.string().optional(),
  multiattach: z.boolean().optional(),
});

const nbd = z.union([
  z
    .object({ unix: z.string().startsWith("/"), export: z.string() })
    .transform(({ unix, export: exportName }) => ({ type: "nbd" as const, unix, exportName })),
  z
    .object({ host: z.string().min(1), port: z.number().int(), export: z.string() })
    .transform(({ host, port, export: exportName }) => ({ type: "nbd" as const, host, port, exportName })),
]);

const iscsi = z
  .object({
    target_portal: z.string().min(1),
    target_iqn: z.string().min(1),
    target_lun: z.number().int().min(0),
    auth_method: z.string().nullish(),
    auth_username: z.string().nullish(),
    auth_password: z.string().nullish(),
  })
  .refine(({ auth_method: method }) => !method || method === "CHAP")
  .transform(({ target_portal: portal, target_iqn: target, target_lun: lun, ...auth }) => ({
    type: "iscsi" as const,
    portal,
    target,
    lun,
    ...(auth.auth_method
      ? { chap: { user: auth.auth_username ?? "", password: auth.auth_password ?? "" } }
      : {}),
  }));

const rbd = z
  .object({
    name: z.string().regex(/^[^/]+\/[^/]+$/),
    hosts: z.array(z.string().min(1)).min(1),
    ports: z.array(z.union([z.string(), z.number()])),
    cluster_name: z
      .string()
      .regex(/^[\w-]+$/)
      .nullish(),
    auth_enabled: z.boolean().nullish(),
    auth_username: z
      .string()
      .regex(/^[\w.-]+$/)
      .nullish(),
    keyring: z.string().nullish(),
  })
  .refine(({ hosts, ports }) => hosts.length === ports.length)
  .transform(({ name, hosts, ports, cluster_name: cluster, auth_enabled: isAsked, ...auth }) => ({
    type: "rbd" as const,
    pool: name.slice(0, name.indexOf("/")),
    image: name.slice(name.indexOf("/") + 1),
    monitors: hosts.map((host, i) => ({ host: host.replace(/^\[(.*)\]$/, "$1"), port: String(ports[i]) })),
    user: isAsked ? (auth.auth_username ?? undefined) : undefined,
    key: keyOf(auth.keyring ?? ""),
    cluster: cluster ?? "ceph",
  }));

/** The key in a Ceph keyring; undefined for none. */
export const keyOf = (keyring: string): string | undefined => /^\s*key\s*=\s*(\S+)/m.exec(keyring)?.[1];

/** What is in qcow2 may have a chain of files below it, of which nobody tells. */
const raw = z.enum(["raw"]).nullish();
/** Where the Block Storage service mounts exports, as its hosts and ours do: by their hash. */
const nfs = z
  .object({
    export: z.string().min(1),
    name: z.string().regex(/^[^/]+$/),
    mount_point_base: z.string().startsWith("/"),
    format: raw,
  })
  .transform(({ export: exported, name, mount_point_base: base }) => ({
    type: "file" as const,
    path: join(base, createHash("md5").update(exported).digest("hex"), name),
  }));
const local = z
  .object({ device_path: z.string().startsWith("/") })
  .transform(({ device_path: path }) => ({ type: "file" as const, path: normalize(path) }));

/** One line per protocol, by the name that the service gives it. */
const PROTOCOLS: Readonly<Record<string, z.ZodType<VolumeAddress>>> = { nbd, iscsi, rbd, nfs, local };

/**
 * A block device as its guest has it. @throws CONNECTION_NOT_SUPPORTED for an unknown protocol;
 * INVALID_ARGUMENT, which tells nothing of the connection
 */
export function guestVolume(device: VolumeDevice): GuestVolume {
  const said = common.safeParse(parsed(device.connectionInfo));
  if (!said.success) throw unreadable();
  const protocol = said.data.driver_volume_type;
  const address = Object.hasOwn(PROTOCOLS, protocol) ? PROTOCOLS[protocol] : undefined;
  if (address === undefined) throw VolumeErrors.CONNECTION_NOT_SUPPORTED({ protocol });
  const at = address.safeParse(said.data);
  if (!at.success) throw unreadable();
  return {
    volumeId: device.volumeId,
    deviceName: device.deviceName,
    deviceType: device.deviceType || "disk",
    bus: device.diskBus || undefined,
    bootIndex: device.bootIndex,
    tag: device.tag || undefined,
    connection: {
      readOnly: said.data.access_mode === "ro",
      shared: said.data.multiattach === true,
      at: at.data,
    },
  };
}

const unreadable = (): Error =>
  CommonErrors.INVALID_ARGUMENT({ field: "input.device.connection_info", problem: "is not readable" });

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
