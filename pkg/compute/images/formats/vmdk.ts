import { corrupt, toSize } from "./format.js";
import type { FormatReport, ImageFormat, Refusal } from "./format.js";
import type { Header } from "./view.js";

const SECTOR = 512;
/** However long the descriptor says it is, QEMU reads this much of it. */
const DESCRIPTOR_BYTES = 20 * SECTOR;
const SUBFORMATS = ["monolithicSparse", "streamOptimized"];

const external: Refusal = { code: "EXTERNAL_EXTENT", text: "it refers to other files" };
const subformat: Refusal = {
  code: "SUBFORMAT",
  text: `only VMDK subformats ${SUBFORMATS.join(" and ")} are supported`,
};

/**
 * Two kinds of file carry a descriptor, a little text that may name any file of the host as data or parent.
 * Only sparse files with one embedded descriptor that names nothing but themselves are let through; the text
 * is judged as a whole, so that a second value hidden behind the first, or behind a NUL, does not help.
 *
 * @source VMware Virtual Disk Format 1.1; QEMU block/vmdk.c for what is read from where
 */
export const vmdk: ImageFormat = {
  name: "vmdk",
  qemuName: "vmdk",
  matches: (h) => h.has(0, "KDMV") || h.has(0, "COWD") || isDescriptorFile(h),
  check: (h) => {
    if (!h.has(0, "KDMV")) return { virtualSizeBytes: undefined, refusals: [subformat] };
    return sparse(h);
  },
};

/** QEMU skips blank and comment lines before it looks for `version=`. */
function isDescriptorFile(h: Header): boolean {
  const text = h.text(0, Math.min(h.length, 4096)) ?? "";
  return (
    /^\s*#\s*Disk\s*Descriptor/i.test(text) ||
    (/^(\s*(#[^\n]*)?\r?\n)*\s*version=\d/i.test(text) && /createType/i.test(text))
  );
}

function sparse(h: Header): FormatReport {
  const [version, capacity, descriptorSector, descriptorSectors] = [
    h.u32le(4),
    h.u64le(12),
    h.u64le(28),
    h.u64le(36),
  ];
  if (version === undefined || version < 1 || version > 3)
    return { virtualSizeBytes: undefined, refusals: [corrupt] };
  // Without a capacity QEMU takes the embedded text for a descriptor file, with extents anywhere.
  if (capacity === undefined || capacity === 0n) return { virtualSizeBytes: undefined, refusals: [external] };
  const virtualSizeBytes = toSize(capacity * BigInt(SECTOR));
  // QEMU looks for the parent at this fixed place, whatever the header says; a descriptor elsewhere would be
  // a second one.
  if (
    descriptorSector !== 1n ||
    descriptorSectors === undefined ||
    descriptorSectors * BigInt(SECTOR) > DESCRIPTOR_BYTES
  ) {
    return { virtualSizeBytes, refusals: [corrupt] };
  }
  const text = h.text(SECTOR, Math.min(DESCRIPTOR_BYTES, h.length - SECTOR));
  return {
    virtualSizeBytes,
    refusals: text === undefined ? [corrupt] : descriptor(text, Number(descriptorSectors) * SECTOR),
  };
}

/**
 * @param own how many bytes of it are the descriptor's; behind them is the grain directory, which may look
 *   like anything
 */
function descriptor(text: string, own: number): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const described = text.slice(0, own);
  const types = [...described.matchAll(/createType\s*=\s*"?([^"\s\0]*)/gi)].map((m) => m[1] ?? "");
  if (types.length !== 1 || !SUBFORMATS.includes(types[0] ?? "")) refusals.push(subformat);
  const parents = [...described.matchAll(/parentCID\s*=\s*([0-9a-f]*)/gi)].map((m) => m[1]?.toLowerCase());
  // QEMU looks for the hint in all it has read, so no byte of that may spell it.
  if (parents.some((cid) => cid !== "ffffffff") || /parentFileNameHint/i.test(text))
    refusals.push({ code: "BACKING_FILE", text: "it has a parent" });
  const extents = [...described.matchAll(/^[^\S\n]*(RW|RDONLY|NOACCESS)\s+\d+\s+(\w+)/gim)].map((m) =>
    m[2]?.toUpperCase(),
  );
  if (extents.length !== 1 || extents[0] !== "SPARSE") refusals.push(external);
  return refusals;
}
