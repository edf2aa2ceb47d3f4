import { corrupt, toSize } from "./format.js";
import type { ImageFormat, Refusal } from "./format.js";
import type { Header } from "./view.js";

const REGION_TABLE_AT = 192 * 1024;
const METADATA_REGION = "06a27c8b90479a4bb8fe575f050f886e";
const FILE_PARAMETERS = "3767a1ca36fa434db3b633f0aa44e76b";
const VIRTUAL_DISK_SIZE = "2442a52f1bcd7648b2115dbed83bf4b8";
const HAS_PARENT = 2;
const ENTRIES_LIMIT = 2047;

/** @source MS-VHDX: region table, metadata region, file parameters */
export const vhdx: ImageFormat = {
  name: "vhdx",
  qemuName: "vhdx",
  matches: (h) => h.has(0, "vhdxfile"),
  check: (h) => {
    const metadata = findMetadata(h);
    const parameters = metadata === undefined ? undefined : findItem(h, metadata, FILE_PARAMETERS);
    const size = metadata === undefined ? undefined : findItem(h, metadata, VIRTUAL_DISK_SIZE);
    const flags = parameters === undefined ? undefined : h.u32le(parameters + 4);
    const virtualSizeBytes = size === undefined ? undefined : toSize(h.u64le(size));
    if (flags === undefined || virtualSizeBytes === undefined)
      return { virtualSizeBytes, refusals: [corrupt] };
    const refusals: Refusal[] =
      flags & HAS_PARENT ? [{ code: "BACKING_FILE", text: "it is a differencing disk" }] : [];
    return { virtualSizeBytes, refusals };
  },
};

function findMetadata(h: Header): number | undefined {
  if (!h.has(REGION_TABLE_AT, "regi")) return undefined;
  const count = Math.min(h.u32le(REGION_TABLE_AT + 8) ?? 0, ENTRIES_LIMIT);
  for (let i = 0; i < count; i++) {
    const at = REGION_TABLE_AT + 16 + i * 32;
    if (guid(h, at) === METADATA_REGION) return toSize(h.u64le(at + 16));
  }
  return undefined;
}

/** @returns where the item's value stands */
function findItem(h: Header, metadata: number, wanted: string): number | undefined {
  if (!h.has(metadata, "metadata")) return undefined;
  const count = Math.min(h.u16le(metadata + 10) ?? 0, ENTRIES_LIMIT);
  for (let i = 0; i < count; i++) {
    const at = metadata + 32 + i * 32;
    const offset = h.u32le(at + 16);
    if (guid(h, at) === wanted && offset !== undefined) return metadata + offset;
  }
  return undefined;
}

const guid = (h: Header, at: number): string | undefined => {
  const text = h.text(at, 16);
  return text === undefined ? undefined : Buffer.from(text, "latin1").toString("hex");
};
