import type { GuestData, JsonValue } from "./guest-data.js";
import { metaData, vendorData2 } from "./meta-data.js";
import type { Reading } from "./meta-data.js";
import { networkData } from "./network-data.js";
import { openstackVersions, since } from "./versions.js";
import type { OpenstackVersion } from "./versions.js";

const newest = openstackVersions[openstackVersions.length - 1] ?? "2025-04-04";

/** The documents of one version by file name, in the order in which the folder lists them. */
export function openstackDocuments(
  data: GuestData,
  version: OpenstackVersion | "latest",
  reading: Reading,
): ReadonlyMap<string, Uint8Array> {
  const v = version === "latest" ? newest : version;
  const out = new Map<string, Uint8Array>([["meta_data.json", json(metaData(data, v, reading))]]);
  if (data.userData !== undefined) out.set("user_data", data.userData);
  if (v >= since.password) out.set("password", new TextEncoder().encode(data.password ?? ""));
  if (v >= since.vendorData && data.vendorData !== undefined)
    out.set("vendor_data.json", json(data.vendorData));
  if (v >= since.networkData) out.set("network_data.json", json(networkData(data.networks)));
  if (v >= since.vendorData2) out.set("vendor_data2.json", json(vendorData2(data)));
  return out;
}

const json = (value: JsonValue): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
