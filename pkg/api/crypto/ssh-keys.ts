import { createHash, createPublicKey, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import sshpk from "sshpk";
import { ApiErrors } from "../errors.js";

/** A pair as a new key pair's owner gets it. */
export interface MadeKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** MD5 of the key's binary form, as hex pairs with colons. */
const fingerprintOf = (blob: Uint8Array): string => colons(createHash("md5").update(blob).digest("hex"));
const colons = (hex: string): string => hex.match(/../g)?.join(":") ?? "";

/** Security keys (FIDO) that the parser library does not know; their form is checked here. */
const SECURITY_KEYS = new Set(["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"]);

/**
 * Checks one line of OpenSSH's public key format and takes its fingerprint.
 * @throws BAD_PUBLIC_KEY for anything but a single valid key
 */
export function sshFingerprint(publicKey: string): string {
  const [type = "", encoded = ""] = publicKey.trim().split(/\s+/);
  const blob = Buffer.from(encoded, "base64");
  const bad =
    /[\r\n]/.test(publicKey.trim()) ||
    encoded === "" ||
    blob.toString("base64").replace(/=+$/, "") !== encoded.replace(/=+$/, "");
  if (bad || firstString(blob) !== type)
    throw ApiErrors.BAD_PUBLIC_KEY({ why: "failed to generate fingerprint" });
  if (!SECURITY_KEYS.has(type)) parse(`${type} ${encoded}`);
  return fingerprintOf(blob);
}

function parse(line: string): void {
  try {
    sshpk.parseKey(line, "ssh");
  } catch (error) {
    throw ApiErrors.BAD_PUBLIC_KEY({ why: "failed to generate fingerprint" }, { cause: error });
  }
}

/** The text with which the binary form begins: the key's type again. */
function firstString(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return blob.subarray(4, 4 + length).toString("latin1");
}

/** Makes an RSA pair of 2,048 bits off the main thread (some 100 ms). @source Nova: RSA, PEM of PKCS#1 */
export async function makeSshKeys(): Promise<MadeKeys> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" });
  return {
    publicKey: `ssh-rsa ${rsaBlob(publicKey.export({ type: "spki", format: "pem" }))} Generated-by-Kilonova`,
    privateKey: pem.toString(),
  };
}

function rsaBlob(pem: string | Buffer): string {
  const { e = "", n = "" } = createPublicKey(pem).export({ format: "jwk" });
  return Buffer.concat([sshString(Buffer.from("ssh-rsa")), sshInteger(e), sshInteger(n)]).toString("base64");
}

const sshInteger = (base64url: string): Buffer => {
  const bytes = Buffer.from(base64url, "base64url");
  return sshString((bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
};

function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
