import { assertNever } from "../../kernel/index.js";
import type { GuestData, GuestDevice, JsonObject, JsonValue } from "./guest-data.js";
import { since } from "./versions.js";
import type { OpenstackVersion } from "./versions.js";

/** What only the moment of reading decides. */
export interface Reading {
  /** 512 random bytes, fresh at each reading; guests feed them to their entropy pool. */
  readonly randomSeed: Uint8Array;
  /** The config drive may tell the admin password, the network may not. */
  readonly includeAdminPass: boolean;
}

/** The guest's full host name, as DHCP and both metadata families tell it. */
export const guestFqdn = (data: Pick<GuestData, "hostname" | "domain">): string =>
  data.domain === "" ? data.hostname : `${data.hostname}.${data.domain}`;

/** Where an injected file's content is found, by its position. */
const contentPath = (index: number): string => `/content/${index.toString().padStart(4, "0")}`;

/** The meta_data.json document of one version. @source nova metadata service */
export function metaData(data: GuestData, version: OpenstackVersion, reading: Reading): JsonObject {
  const out: Record<string, JsonValue> = { uuid: data.uuid };
  if (data.metadata.size > 0) out["meta"] = mapToObject(data.metadata);
  if (data.files && data.files.length > 0)
    out["files"] = data.files.map((f, i) => ({ path: f.path, content_path: contentPath(i) }));
  if (reading.includeAdminPass && data.adminPass !== undefined) out["admin_pass"] = data.adminPass;
  if (data.keys.length > 0) {
    out["public_keys"] = mapToObject(new Map(data.keys.map((k) => [k.name, k.data])));
    out["keys"] = data.keys.map((k) => ({ name: k.name, type: k.type, data: k.data }));
  }
  out["hostname"] = guestFqdn(data);
  out["name"] = data.name;
  out["launch_index"] = data.launchIndex;
  out["availability_zone"] = data.availabilityZone;
  if (version >= since.randomSeed) out["random_seed"] = Buffer.from(reading.randomSeed).toString("base64");
  if (version >= since.projectId) out["project_id"] = data.projectId;
  if (version >= since.devices) out["devices"] = devices(data.devices ?? [], version);
  if (version >= since.dedicatedCpus) out["dedicated_cpus"] = [...(data.dedicatedCpus ?? [])];
  return out;
}

function devices(all: readonly GuestDevice[], version: OpenstackVersion): JsonValue[] {
  return all
    .filter((d) => isShown(d, version))
    .map((d) => ({
      type: d.type,
      bus: d.bus,
      address: d.address,
      ...ownFacts(d, version),
      ...(d.tags.length > 0 ? { tags: [...d.tags] } : {}),
    }));
}

/** A NIC about which there is nothing to tell is not told. */
function isShown(d: GuestDevice, version: OpenstackVersion): boolean {
  if (d.type === "share") return version >= since.shares;
  return (
    d.type === "disk" ||
    d.tags.length > 0 ||
    version >= since.vfTrusted ||
    (d.vlan !== undefined && version >= since.vlan)
  );
}

function ownFacts(d: GuestDevice, version: OpenstackVersion): Record<string, JsonValue> {
  switch (d.type) {
    case "nic":
      return {
        ...(d.mac === undefined ? {} : { mac: d.mac }),
        ...(d.vlan === undefined || version < since.vlan ? {} : { vlan: d.vlan }),
        ...(version < since.vfTrusted ? {} : { vf_trusted: d.vfTrusted ?? false }),
      };
    case "disk":
      return {
        ...(d.serial === undefined ? {} : { serial: d.serial }),
        ...(d.path === undefined ? {} : { path: d.path }),
      };
    case "share":
      return { share_id: d.shareId ?? "", tag: d.mountTag ?? "" };
    default:
      return assertNever(d.type);
  }
}

/** An object that keeps any key a user may have chosen, `__proto__` included. */
function mapToObject(map: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(map);
}

/**
 * vendor_data2.json: one member per dynamic target, and the static document under `static`, which no target
 * can take.
 */
export function vendorData2(data: GuestData): JsonObject {
  return Object.fromEntries([
    ...(data.dynamicVendorData ?? []),
    ...(data.vendorData === undefined ? [] : [["static", data.vendorData] as const]),
  ]);
}
