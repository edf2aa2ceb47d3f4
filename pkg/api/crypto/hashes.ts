import { createHash } from "node:crypto";

/** SHA-256 of what a client token protects: two requests of equal meaning must encode to equal bytes. */
export const bodyHash = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

/** Short fingerprint of a list's filter and sort, for page tokens and resume tokens. */
export const bindingOf = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("base64url").slice(0, 16);

/** A copy with its keys in order: protobuf maps have none, so encodings would differ. */
export const sortedMap = <V>(map: ReadonlyMap<string, V>): Map<string, V> =>
  new Map([...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
