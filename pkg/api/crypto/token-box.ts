import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { ApiErrors } from "../errors.js";

/**
 * A 256-bit key under its name; the same list for every api process of a deployment. The name stands in each
 * token, so that keys can be replaced one after the other.
 */
export interface TokenKey {
  readonly id: string;
  readonly key: Buffer;
}

/** What a token is for; a token of one purpose is none of another. */
export type TokenPurpose = "page" | "resume";

/**
 * Makes the tokens that clients carry around: nobody can read, change or make one. A token opens only for
 * what it was sealed for.
 */
export interface TokenBox {
  /** @param binding  what was asked: filter, sort, project */
  seal(purpose: TokenPurpose, binding: string, content: string): string;
  /** @throws BAD_PAGE_TOKEN for made-up texts, other versions, unknown keys and other purposes or bindings */
  open(purpose: TokenPurpose, binding: string, token: string): string;
}

/** What tokens look like; raised whenever layout or contents change. */
const VERSION = "2";
const SALT = 16,
  COUNTER = 8,
  NONCE = 12,
  TAG = 16;
const REMEMBERED_KEYS = 64;

/**
 * AES-256-GCM. Layout, after `2.` and in base64url: length of the key's id (1 byte), id, salt (16),
 * counter (8), tag (16), ciphertext. Each process seals with a key of its own, derived from the deployment's
 * and a fresh salt, and counts its nonces: none occurs twice, however many events a watch tells.
 * @param keys  the first seals, all open
 */
export function tokenBox(keys: readonly [TokenKey, ...TokenKey[]]): TokenBox {
  const masters = new Map(keys.map(({ id, key }) => [id, key]));
  const derived = new LRUCache<string, Buffer>({ max: REMEMBERED_KEYS });
  const keyOf = (id: string, salt: Buffer): Buffer | undefined => {
    const master = masters.get(id);
    if (master === undefined) return undefined;
    const name = `${id}\0${salt.toString("latin1")}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync("sha256", master, salt, "kilonova api tokens", 32));
    derived.set(name, key);
    return key;
  };
  const [{ id: currentId }] = keys;
  const ownSalt = randomBytes(SALT);
  const head = Buffer.concat([Buffer.from([Buffer.byteLength(currentId)]), Buffer.from(currentId), ownSalt]);
  let sealed = 0n;
  return {
    seal: (purpose, binding, content) => {
      const nonce = nonceOf(sealed++);
      const cipher = createCipheriv("aes-256-gcm", keyOf(currentId, ownSalt) ?? ownSalt, nonce);
      cipher.setAAD(boundTo(purpose, binding));
      const body = Buffer.concat([cipher.update(content, "utf8"), cipher.final()]);
      const bytes = Buffer.concat([head, nonce.subarray(NONCE - COUNTER), cipher.getAuthTag(), body]);
      return `${VERSION}.${bytes.toString("base64url")}`;
    },
    open: (purpose, binding, token) => {
      const content = openWith(keyOf, boundTo(purpose, binding), token);
      if (content === undefined) {
        const field = purpose === "page" ? "page_token" : "resume_token";
        const violations = [{ field, description: "is no token of this request" }];
        throw ApiErrors.BAD_PAGE_TOKEN({ token: purpose }, { violations });
      }
      return content;
    },
  };
}

function openWith(
  keyOf: (id: string, salt: Buffer) => Buffer | undefined,
  bound: Buffer,
  token: string,
): string | undefined {
  const bytes = Buffer.from(token.slice(VERSION.length + 1), "base64url");
  // Decoding passes over what is no base64: a token has one spelling.
  if (token !== `${VERSION}.${bytes.toString("base64url")}`) return undefined;
  const idEnd = 1 + (bytes[0] ?? 0);
  const saltEnd = idEnd + SALT;
  const counterEnd = saltEnd + COUNTER;
  const tagEnd = counterEnd + TAG;
  if (bytes.length < tagEnd) return undefined;
  const key = keyOf(bytes.toString("utf8", 1, idEnd), bytes.subarray(idEnd, saltEnd));
  if (key === undefined) return undefined;
  const nonce = Buffer.concat([Buffer.alloc(NONCE - COUNTER), bytes.subarray(saltEnd, counterEnd)]);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG }).setAAD(bound);
  decipher.setAuthTag(bytes.subarray(counterEnd, tagEnd));
  try {
    return decipher.update(bytes.subarray(tagEnd), undefined, "utf8") + decipher.final("utf8");
  } catch {
    return undefined; // changed, or of another binding
  }
}

function nonceOf(counter: bigint): Buffer {
  const nonce = Buffer.alloc(NONCE);
  nonce.writeBigUInt64BE(counter, NONCE - COUNTER);
  return nonce;
}

const boundTo = (purpose: TokenPurpose, binding: string): Buffer => Buffer.from(`${purpose}\0${binding}`);
