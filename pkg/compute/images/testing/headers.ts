/** Hand-made image headers, good and hostile; nothing here is ever opened by a tool. */
import type { ImageView } from "../formats/view.js";

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");

export const viewOfBytes = (bytes: Uint8Array): ImageView => ({
  head: bytes,
  tail: bytes.subarray(Math.max(0, bytes.length - 512)),
  sizeBytes: bytes.length,
});

export interface Qcow2Fields {
  readonly version?: number;
  readonly backingOffset?: bigint;
  readonly backingSize?: number;
  readonly backingName?: string;
  readonly crypt?: number;
  readonly snapshots?: number;
  readonly incompatible?: bigint;
  readonly autoclear?: bigint;
  readonly sizeBytes?: bigint;
  readonly headerLength?: number;
  readonly extensions?: readonly (readonly [type: number, text: string])[];
}

export function qcow2Bytes(f: Qcow2Fields = {}): Buffer {
  const bytes = Buffer.alloc(65_536);
  const version = f.version ?? 3;
  bytes.set(ascii("QFI\xfb"));
  bytes.writeUInt32BE(version, 4);
  bytes.writeBigUInt64BE(f.backingOffset ?? 0n, 8);
  bytes.writeUInt32BE(f.backingSize ?? 0, 16);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(f.sizeBytes ?? 4_194_304n, 24);
  bytes.writeUInt32BE(f.crypt ?? 0, 32);
  bytes.writeUInt32BE(f.snapshots ?? 0, 60);
  let at = 72;
  if (version >= 3) {
    bytes.writeBigUInt64BE(f.incompatible ?? 0n, 72);
    bytes.writeBigUInt64BE(f.autoclear ?? 0n, 88);
    bytes.writeUInt32BE(f.headerLength ?? 112, 100);
    at = f.headerLength ?? 112;
  }
  for (const [type, text] of f.extensions ?? []) {
    bytes.writeUInt32BE(type, at);
    bytes.writeUInt32BE(text.length, at + 4);
    bytes.set(ascii(text), at + 8);
    at += 8 + Math.ceil(text.length / 8) * 8;
  }
  if (f.backingName) bytes.set(ascii(f.backingName), Number(f.backingOffset ?? 0n));
  return bytes;
}

export const vmdkDescriptor = (
  over: { createType?: string; parentCid?: string; extent?: string; extra?: string } = {},
): string =>
  [
    "# Disk DescriptorFile",
    "version=1",
    "CID=8e5f810e",
    `parentCID=${over.parentCid ?? "ffffffff"}`,
    `createType="${over.createType ?? "monolithicSparse"}"`,
    "# Extent description",
    over.extent ?? 'RW 8192 SPARSE "a.vmdk"',
    over.extra ?? "",
    "# The Disk Data Base",
    'ddb.adapterType = "ide"',
    "",
  ].join("\n");

export function vmdkBytes(
  descriptor: string,
  over: { capacity?: bigint; descriptorSector?: bigint; behind?: string } = {},
): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.set(ascii("KDMV"));
  bytes.writeUInt32LE(1, 4);
  bytes.writeBigUInt64LE(over.capacity ?? 8192n, 12);
  bytes.writeBigUInt64LE(over.descriptorSector ?? 1n, 28);
  bytes.writeBigUInt64LE(BigInt(Math.ceil(descriptor.length / 512)), 36);
  const at = Number(over.descriptorSector ?? 1n) * 512;
  if (at < bytes.length)
    bytes.set(ascii(descriptor + (over.behind ?? "")).subarray(0, bytes.length - at), at);
  return bytes;
}

export function vdiBytes(over: { type?: number; parent?: boolean } = {}): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeUInt32LE(0xbeda107f, 64);
  bytes.writeUInt32LE(over.type ?? 1, 76);
  bytes.writeBigUInt64LE(4_194_304n, 368);
  if (over.parent) bytes.fill(7, 440, 456);
  return bytes;
}

export function vhdBytes(type: number, where: "both ends" | "end" = "both ends"): Buffer {
  const bytes = Buffer.alloc(8192);
  const footer = Buffer.alloc(512);
  footer.set(ascii("conectix"));
  footer.writeBigUInt64BE(4_194_304n, 48);
  footer.writeUInt32BE(type, 60);
  if (where === "both ends") bytes.set(footer);
  bytes.set(footer, bytes.length - 512);
  return bytes;
}

const guid = (hex: string): Buffer => Buffer.from(hex, "hex");

export function vhdxBytes(over: { hasParent?: boolean; withoutSize?: boolean } = {}): Buffer {
  const bytes = Buffer.alloc(4 * 1024 * 1024);
  const [regions, metadata] = [192 * 1024, 3 * 1024 * 1024];
  bytes.set(ascii("vhdxfile"));
  bytes.set(ascii("regi"), regions);
  bytes.writeUInt32LE(1, regions + 8);
  bytes.set(guid("06a27c8b90479a4bb8fe575f050f886e"), regions + 16);
  bytes.writeBigUInt64LE(BigInt(metadata), regions + 32);
  bytes.set(ascii("metadata"), metadata);
  bytes.writeUInt16LE(over.withoutSize ? 1 : 2, metadata + 10);
  bytes.set(guid("3767a1ca36fa434db3b633f0aa44e76b"), metadata + 32);
  bytes.writeUInt32LE(65_536, metadata + 48);
  bytes.set(guid("2442a52f1bcd7648b2115dbed83bf4b8"), metadata + 64);
  bytes.writeUInt32LE(65_544, metadata + 80);
  bytes.writeUInt32LE(over.hasParent ? 2 : 0, metadata + 65_540);
  bytes.writeBigUInt64LE(4_194_304n, metadata + 65_544);
  return bytes;
}

export function isoBytes(): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.set(ascii("\x01CD001"), 0x8000);
  return bytes;
}

export function gptBytes(): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.set([0x55, 0xaa], 510);
  bytes.set(ascii("EFI PART"), 512);
  return bytes;
}
