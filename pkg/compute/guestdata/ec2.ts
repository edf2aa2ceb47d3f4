import type { Ec2Ids, GuestData } from "./guest-data.js";
import { guestFqdn } from "./meta-data.js";
import type { Ec2Version } from "./versions.js";

/** A value of EC2's metadata: text, lines, or a folder. */
export type Ec2Value = string | number | readonly string[] | Ec2Folder;
export interface Ec2Folder {
  readonly children: ReadonlyMap<string, Ec2Value>;
  /** How the parent lists this folder, when not `<name>/`. */
  readonly listedAs?: string;
}

/**
 * Nova's instance number (`instance-0000002a` is 42) and image uuids as EC2 identifiers; stable, not globally
 * unique.
 */
export function ec2IdsFor(ids: {
  instanceNumber: number;
  imageId?: string;
  kernelId?: string;
  ramdiskId?: string;
}): Ec2Ids {
  const short = (uuid: string): string => uuid.replaceAll("-", "").slice(0, 8);
  return {
    instanceId: `i-${ids.instanceNumber.toString(16).padStart(8, "0")}`,
    imageId: `ami-${ids.imageId === undefined ? "00000000" : short(ids.imageId)}`,
    ...(ids.kernelId === undefined ? {} : { kernelId: `aki-${short(ids.kernelId)}` }),
    ...(ids.ramdiskId === undefined ? {} : { ramdiskId: `ari-${short(ids.ramdiskId)}` }),
  };
}

/** The `meta-data` folder of one EC2 version. @source nova metadata service */
export function ec2MetaData(data: GuestData, version: Ec2Version): Ec2Folder {
  const hostname = guestFqdn(data);
  const at = (wanted: Ec2Version): boolean => version !== "1.0" && (wanted === "1.0" || version >= wanted);
  const out = new Map<string, Ec2Value>([
    ["ami-id", data.ec2Ids.imageId],
    ["ami-launch-index", data.launchIndex],
    ["ami-manifest-path", "FIXME"],
    ["hostname", hostname],
    ["instance-id", data.ec2Ids.instanceId],
    ["local-ipv4", firstIpv4(data)],
    ["reservation-id", data.reservationId],
    ["security-groups", data.securityGroups],
  ]);
  const key = data.keys[0];
  if (key)
    out.set(
      "public-keys",
      folder([["0", { ...folder([["openssh-key", key.data]]), listedAs: `0=${key.name}` }]]),
    );
  if (at("2007-01-19")) {
    out.set("local-hostname", hostname);
    out.set("public-hostname", hostname);
    out.set("public-ipv4", data.floatingIp ?? "");
  }
  if (at("2007-08-29")) out.set("instance-type", data.instanceType);
  if (at("2007-12-15")) {
    out.set("block-device-mapping", folder([...(data.blockDeviceMapping ?? defaultMapping)]));
    if (data.ec2Ids.kernelId !== undefined) out.set("kernel-id", data.ec2Ids.kernelId);
    if (data.ec2Ids.ramdiskId !== undefined) out.set("ramdisk-id", data.ec2Ids.ramdiskId);
  }
  if (at("2008-02-01")) out.set("placement", folder([["availability-zone", data.availabilityZone]]));
  if (at("2008-09-01")) out.set("instance-action", "none");
  return { children: out };
}

const defaultMapping: ReadonlyMap<string, string> = new Map([
  ["ami", "vda"],
  ["root", "/dev/vda"],
]);

const folder = (entries: readonly (readonly [string, Ec2Value])[]): Ec2Folder => ({
  children: new Map(entries),
});

const firstIpv4 = (data: GuestData): string =>
  data.networks.flatMap((n) => n.subnets).find((s) => s.version === 4)?.ip ?? "";

/** What a GET of the value answers: a folder lists its children, sorted, one per line. */
export function renderEc2(value: Ec2Value): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  if (!isFolder(value)) return value.join("\n");
  return [...value.children]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, child]) => (isFolder(child) ? (child.listedAs ?? `${name}/`) : name))
    .join("\n");
}

/** The same folder as JSON, for the config drive. */
export function ec2ToJson(value: Ec2Value): unknown {
  return isFolder(value) ? Object.fromEntries([...value.children].map(([k, v]) => [k, ec2ToJson(v)])) : value;
}

export const isFolder = (value: Ec2Value): value is Ec2Folder =>
  typeof value === "object" && "children" in value;
