import { corrupt, toSize } from "./format.js";
import type { ImageFormat, Refusal } from "./format.js";
import type { Header } from "./view.js";

const V2_HEADER_BYTES = 72;
const V3_HEADER_BYTES = 104;

const Incompatible = { DIRTY: 1n, CORRUPT: 2n, DATA_FILE: 4n, COMPRESSION: 8n, EXTENDED_L2: 16n } as const;
const known = Object.values<bigint>(Incompatible).reduce((a, b) => a | b);
/** Autoclear bit 1: the external data file is raw. */
const AUTOCLEAR_RAW_DATA_FILE = 2n;

const Extension = { END: 0, DATA_FILE: 0x44415441, CRYPTO: 0x0537be77 } as const;

const backing: Refusal = { code: "BACKING_FILE", text: "it has a backing file" };
const dataFile: Refusal = { code: "DATA_FILE", text: "it keeps its data in another file" };
const encrypted: Refusal = { code: "ENCRYPTED", text: "it is encrypted" };
const unknownFeature: Refusal = {
  code: "UNKNOWN_FEATURE",
  text: "it uses a qcow2 feature that is not known",
};

/**
 * Internal snapshots, a mark of damage and a format of a backing file that is not there do no harm: what is
 * converted is the disk as it is now. @source QEMU docs/interop/qcow2.txt
 */
export const qcow2: ImageFormat = {
  name: "qcow2",
  qemuName: "qcow2",
  matches: (h) => h.has(0, "QFI\xfb"),
  check: (h) => {
    const version = h.u32be(4);
    const clusterBits = h.u32be(20);
    if (
      version === undefined ||
      clusterBits === undefined ||
      clusterBits < 9 ||
      clusterBits > 21 ||
      h.length < V2_HEADER_BYTES
    ) {
      return { virtualSizeBytes: undefined, refusals: [corrupt] };
    }
    const refusals: Refusal[] = [];
    // Without an offset there is none, whatever else is said about it.
    if (h.u64be(8) !== 0n) refusals.push(backing);
    if (h.u32be(32) !== 0) refusals.push(encrypted);
    if (version === 2) refusals.push(...extensions(h, V2_HEADER_BYTES, clusterBits));
    else if (version === 3) refusals.push(...version3(h, clusterBits));
    else refusals.push(unknownFeature);
    return { virtualSizeBytes: toSize(h.u64be(24)), refusals: [...new Set(refusals)] };
  },
};

function version3(h: Header, clusterBits: number): readonly Refusal[] {
  const [incompatible, autoclear, headerLength] = [h.u64be(72), h.u64be(88), h.u32be(100)];
  if (incompatible === undefined || autoclear === undefined || headerLength === undefined) return [corrupt];
  if (headerLength < V3_HEADER_BYTES || headerLength > 2 ** clusterBits || headerLength % 8 !== 0)
    return [corrupt];
  const refusals: Refusal[] = [];
  if (incompatible & Incompatible.DATA_FILE || autoclear & AUTOCLEAR_RAW_DATA_FILE) refusals.push(dataFile);
  if (incompatible & ~known) refusals.push(unknownFeature);
  const compression = headerLength > V3_HEADER_BYTES ? h.text(V3_HEADER_BYTES, 1)?.charCodeAt(0) : 0;
  if (compression === undefined || compression > 1) refusals.push(unknownFeature);
  return [...refusals, ...extensions(h, headerLength, clusterBits)];
}

/** Walks the header's extensions, which must end within the first cluster. */
function extensions(h: Header, start: number, clusterBits: number): readonly Refusal[] {
  const end = 2 ** clusterBits;
  const refusals: Refusal[] = [];
  for (let at = start; at + 8 <= end;) {
    const [type, length] = [h.u32be(at), h.u32be(at + 4)];
    if (type === undefined || length === undefined || at + 8 + length > end) return [...refusals, corrupt];
    if (type === Extension.END) return refusals;
    if (type === Extension.DATA_FILE) refusals.push(dataFile);
    if (type === Extension.CRYPTO) refusals.push(encrypted);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return refusals;
}
