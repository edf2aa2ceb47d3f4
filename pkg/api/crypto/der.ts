import type { Instant } from "../../kernel/index.js";

/** The little of ASN.1's DER that a certificate needs. Every function gives the encoding of one element. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag), length(body.length), body]);
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  const hex = bytes.toString(16);
  const value = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.of(0x80 | value.length), value]);
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => element(0x30, ...content);
export const set = (...content: readonly Uint8Array[]): Buffer => element(0x31, ...content);
/** @param bytes  big-endian, its first bit the sign */
export const integer = (bytes: Uint8Array): Buffer => element(0x02, bytes);
export const bitString = (bytes: Uint8Array): Buffer => element(0x03, Buffer.of(0), bytes);
export const octetString = (bytes: Uint8Array): Buffer => element(0x04, bytes);
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text, "utf8"));
export const explicit = (tag: number, content: Uint8Array): Buffer => element(0xa0 | tag, content);

/** Two-digit years up to 2049, four digits beyond, as the certificate standard asks. */
export function utcTime(at: Instant): Buffer {
  const digits = new Date(Number(at / 1000n)).toISOString().replace(/[-:T]|\.\d+/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(digits.slice(2), "latin1"))
    : element(0x18, Buffer.from(digits, "latin1"));
}

/** @param dotted  such as `2.5.4.3` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}
