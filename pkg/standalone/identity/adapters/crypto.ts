import { createHash, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** scrypt's work: N = 2^logN, r = 8, p. */
export interface PasswordCost {
  readonly logN: number;
  readonly p: number;
}

/** OWASP's setting for little memory: 16 MiB and some 100 ms of one core per check. */
const defaultCost: PasswordCost = { logN: 14, p: 5 };

/**
 * Hashes and checks passwords off the main thread, as many at once as are asked for: what comes from outside
 * goes through `SecretChecks`.
 */
export interface Passwords {
  /** @returns `scrypt$<logN>$<p>$<salt>$<hash>` */
  hash(password: string): Promise<string>;
  /** Compares in constant time; without a stored hash it does the same work and says no. */
  verify(password: string, stored: string | null | undefined): Promise<boolean>;
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);
const KEY_BYTES = 32;
export function scryptPasswords(cost: PasswordCost = defaultCost): Passwords {
  const run = (password: string, salt: Buffer, { logN, p }: PasswordCost): Promise<Buffer> => {
    const N = 2 ** logN;
    return derive(password, salt, KEY_BYTES, { N, r: 8, p, maxmem: 256 * N * 8 * p });
  };
  const noSalt = Buffer.alloc(16);
  return {
    hash: async (password) => {
      const salt = randomBytes(16);
      const key = await run(password, salt, cost);
      return `scrypt$${cost.logN}$${cost.p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
    },
    verify: async (password, stored) => {
      const [scheme, logN, p, salt, key] = (stored ?? "").split("$");
      if (scheme !== "scrypt" || salt === undefined || key === undefined) {
        await run(password, noSalt, cost);
        return false;
      }
      const expected = Buffer.from(key, "base64url");
      const actual = await run(password, Buffer.from(salt, "base64url"), {
        logN: Number(logN),
        p: Number(p),
      });
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
}

/**
 * 256 random bits as URL-safe characters: tokens and secrets of application credentials. The first is a
 * letter: to a command line, "-" would begin an option.
 */
export const newSecret = (): string => `k${randomBytes(32).toString("base64url")}`;

/** 128 random bits in the form of Keystone's audit ids. */
export const newAuditId = (): string => randomBytes(16).toString("base64url");

/** 128 random bits in the form of Keystone's ids. */
export const newId = (): string => randomBytes(16).toString("hex");

/**
 * What is stored of a token. Plain SHA-256 is enough for 256 random bits; nobody can guess their way back.
 */
export const tokenHash = (token: string): Buffer => createHash("sha256").update(token).digest();

/** An id derived from a text: the same at every start. */
export const stableId = (text: string): string =>
  createHash("sha256").update(`kilonova/${text}`).digest("hex").slice(0, 32);
