import { gzipSync } from "node:zlib";
import {
  isoBytes,
  qcow2Bytes,
  vdiBytes,
  vhdBytes,
  vhdxBytes,
  vmdkBytes,
  vmdkDescriptor,
} from "../../../pkg/compute/images/testing/headers.js";

/**
 * One hostile image: what it is, what its owner says it is, and the word by which the refusal must tell its
 * reason.
 */
export interface HostileImage {
  readonly what: string;
  readonly diskFormat: string;
  readonly bytes: Buffer;
  readonly says: RegExp;
}

const SECRET = "/etc/passwd";
const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const over = (base: Buffer, at: number, bytes: Uint8Array): Buffer => {
  const out = Buffer.alloc(Math.max(base.length, at + bytes.length));
  out.set(base);
  out.set(bytes, at);
  return out;
};
const backed = qcow2Bytes({ backingOffset: 1024n, backingSize: SECRET.length, backingName: SECRET });
const flat = ascii(vmdkDescriptor({ createType: "monolithicFlat", extent: `RW 8192 FLAT "${SECRET}" 0` }));
const luks = over(Buffer.alloc(4096), 0, ascii("LUKS\xba\xbe\0\x01"));

export const hostileImages: readonly HostileImage[] = [
  { what: "a qcow2 over a file of the host", diskFormat: "qcow2", bytes: backed, says: /backing file/ },
  {
    what: "a qcow2 over a file of the host, said to be raw",
    diskFormat: "raw",
    bytes: backed,
    says: /backing file/,
  },
  {
    what: "a qcow2 over an address",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ backingOffset: 1024n, backingSize: 24, backingName: "http://169.254.169.254/x" }),
    says: /backing file/,
  },
  {
    what: "a qcow2 over what QEMU would make of JSON",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({
      backingOffset: 1024n,
      backingSize: 45,
      backingName: 'json:{"driver":"file","filename":"/etc/passwd"}',
    }),
    says: /backing file/,
  },
  {
    what: "an old qcow2 over a file of the host",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ version: 2, backingOffset: 1024n, backingSize: SECRET.length, backingName: SECRET }),
    says: /backing file/,
  },
  {
    what: "a qcow2 whose data is a file of the host",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ incompatible: 4n, extensions: [[0x44415441, SECRET]] }),
    says: /another file/,
  },
  {
    what: "a qcow2 that only names such a file",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ extensions: [[0x44415441, SECRET]] }),
    says: /another file/,
  },
  {
    what: "a qcow2 with a feature of later",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ incompatible: 1n << 40n }),
    says: /feature/,
  },
  {
    what: "a qcow2 of a later version",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ version: 4 }),
    says: /feature/,
  },
  {
    what: "an encrypted qcow2",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ crypt: 2, extensions: [[0x0537be77, "0123456789abcdef"]] }),
    says: /encrypted/,
  },
  {
    what: "a qcow2 that ends in its header",
    diskFormat: "qcow2",
    bytes: qcow2Bytes().subarray(0, 60),
    says: /damaged/,
  },
  {
    what: "a qcow2 of an exbibyte",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ sizeBytes: 2n ** 60n }),
    says: /larger than/,
  },
  {
    what: "a qcow2 of all that a number holds",
    diskFormat: "qcow2",
    bytes: qcow2Bytes({ sizeBytes: 2n ** 64n - 1n }),
    says: /larger than/,
  },
  { what: "a good qcow2 said to be raw", diskFormat: "raw", bytes: qcow2Bytes(), says: /content is qcow2/ },
  {
    what: "zeros said to be a qcow2",
    diskFormat: "qcow2",
    bytes: Buffer.alloc(65_536),
    says: /content is raw/,
  },
  {
    what: "a vmdk said to be a qcow2",
    diskFormat: "qcow2",
    bytes: vmdkBytes(vmdkDescriptor()),
    says: /content is vmdk/,
  },
  { what: "an iso said to be a qcow2", diskFormat: "qcow2", bytes: isoBytes(), says: /content is iso/ },
  { what: "a vmdk whose extent is a file of the host", diskFormat: "vmdk", bytes: flat, says: /subformats/ },
  { what: "the same said to be raw", diskFormat: "raw", bytes: flat, says: /subformats/ },
  {
    what: "the same behind blank lines",
    diskFormat: "vmdk",
    bytes: Buffer.concat([ascii("\n# x\n"), flat]),
    says: /subformats|content is raw/,
  },
  {
    what: "a sparse vmdk with a flat extent",
    diskFormat: "vmdk",
    bytes: vmdkBytes(vmdkDescriptor({ extent: `RW 8192 FLAT "${SECRET}" 0` })),
    says: /other files/,
  },
  {
    what: "a sparse vmdk with a type behind a NUL",
    diskFormat: "vmdk",
    bytes: vmdkBytes(vmdkDescriptor({ extra: '\0createType="monolithicFlat"' })),
    says: /subformats/,
  },
  {
    what: "a sparse vmdk that is read as a descriptor",
    diskFormat: "vmdk",
    bytes: vmdkBytes(vmdkDescriptor(), { capacity: 0n }),
    says: /other files/,
  },
  {
    what: "a vmdk with a parent",
    diskFormat: "vmdk",
    bytes: vmdkBytes(vmdkDescriptor({ parentCid: "12345678", extra: `parentFileNameHint="${SECRET}"` })),
    says: /parent/,
  },
  { what: "a vdi with a parent", diskFormat: "vdi", bytes: vdiBytes({ parent: true }), says: /differencing/ },
  { what: "a vhd with a parent", diskFormat: "vhd", bytes: vhdBytes(4), says: /differencing/ },
  {
    what: "a vhdx with a parent",
    diskFormat: "vhdx",
    bytes: vhdxBytes({ hasParent: true }),
    says: /differencing/,
  },
  { what: "a luks volume said to be raw", diskFormat: "raw", bytes: luks, says: /encrypted/ },
  {
    what: "a qed said to be raw",
    diskFormat: "raw",
    bytes: ascii(`QED\0${"\0".repeat(4096)}`),
    says: /not supported/,
  },
  {
    what: "a qcow2 that is an iso as well",
    diskFormat: "qcow2",
    bytes: over(isoBytes(), 0, qcow2Bytes().subarray(0, 512)),
    says: /at once/,
  },
  {
    what: "a qcow2 that is a vdi as well",
    diskFormat: "qcow2",
    bytes: over(qcow2Bytes(), 64, Uint8Array.of(0x7f, 0x10, 0xda, 0xbe)),
    says: /at once|damaged/,
  },
  {
    what: "a compressed bomb said to be a qcow2",
    diskFormat: "qcow2",
    bytes: gzipSync(Buffer.alloc(64 << 20)),
    says: /content is raw/,
  },
];
