import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { CellsErrors } from "../errors.js";

const NONCE = 12,
  TAG = 16;

/** Encrypts what may not lie in a database in the clear. */
export interface SecretBox {
  /** @param bound  what the secret belongs to; opening it for anything else fails */
  seal(plain: Uint8Array, bound: string): Buffer;
  /** @throws SECRET_KEY_UNKNOWN; Error when bytes or binding were changed */
  open(sealed: Buffer, bound: string): Buffer;
}

/**
 * A 256-bit key under its name. The name is stored with each secret, so that keys can be replaced one after
 * the other.
 */
export interface SecretKey {
  readonly id: string;
  readonly key: Buffer;
}

/**
 * AES-256-GCM. Layout: length of the key's id (1 byte), id, nonce (12), tag (16), ciphertext.
 * @param keys  the first seals, all open
 */
export function secretBox(keys: readonly [SecretKey, ...SecretKey[]]): SecretBox {
  const byId = new Map(keys.map((one) => [one.id, one.key]));
  const [current] = keys;
  return {
    seal: (plain, bound) => {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", current.key, nonce).setAAD(Buffer.from(bound));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      const id = Buffer.from(current.id);
      return Buffer.concat([Buffer.from([id.length]), id, nonce, cipher.getAuthTag(), body]);
    },
    open: (sealed, bound) => {
      const idEnd = 1 + (sealed[0] ?? 0);
      const id = sealed.toString("utf8", 1, idEnd);
      const key = byId.get(id);
      if (key === undefined) throw CellsErrors.SECRET_KEY_UNKNOWN({ key: id });
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(idEnd, idEnd + NONCE)).setAAD(
        Buffer.from(bound),
      );
      decipher.setAuthTag(sealed.subarray(idEnd + NONCE, idEnd + NONCE + TAG));
      return Buffer.concat([decipher.update(sealed.subarray(idEnd + NONCE + TAG)), decipher.final()]);
    },
  };
}
