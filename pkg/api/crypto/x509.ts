import { X509Certificate, createHash, generateKeyPair, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Instant } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import { bitString, explicit, integer, objectId, octetString, sequence, set, utcTime, utf8 } from "./der.js";
import type { MadeKeys } from "./ssh-keys.js";

const SHA256_WITH_RSA = sequence(objectId("1.2.840.113549.1.1.11"), Buffer.of(0x05, 0x00));
const COMMON_NAME = objectId("2.5.4.3");
const EXTENDED_KEY_USAGE = objectId("2.5.29.37");
const CLIENT_AUTH = objectId("1.3.6.1.5.5.7.3.2");
const SUBJECT_ALT_NAME = objectId("2.5.29.17");
const USER_PRINCIPAL_NAME = objectId("1.3.6.1.4.1.311.20.2.3");
const TEN_YEARS = 3_650n * 86_400_000_000n;

/** SHA-1 of a PEM certificate, as lower-case hex pairs with colons. @throws BAD_PUBLIC_KEY */
export function x509Fingerprint(pem: string): string {
  try {
    return (
      createHash("sha1").update(new X509Certificate(pem).raw).digest("hex").match(/../g)?.join(":") ?? ""
    );
  } catch (error) {
    throw ApiErrors.BAD_PUBLIC_KEY(
      { why: "failed to generate X509 fingerprint. Error message: the certificate cannot be read" },
      { cause: error },
    );
  }
}

/**
 * Makes a key and a self-signed certificate with which the user logs in to Windows guests over WinRM.
 * @source Nova: subject = user id, principal name `<user>@localhost`, client authentication, ten years
 */
export async function makeX509(userId: string, now: Instant): Promise<MadeKeys> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const name = sequence(set(sequence(COMMON_NAME, utf8(userId.slice(0, 64)))));
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(serial()),
    SHA256_WITH_RSA,
    name,
    sequence(utcTime(now), utcTime(now + TEN_YEARS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, extensions(userId)),
  );
  const certificate = sequence(body, SHA256_WITH_RSA, bitString(sign("sha256", body, privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    publicKey: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function extensions(userId: string): Buffer {
  const principal = sequence(
    explicit(0, Buffer.concat([USER_PRINCIPAL_NAME, explicit(0, utf8(`${userId}@localhost`))])),
  );
  return sequence(
    sequence(EXTENDED_KEY_USAGE, octetString(sequence(CLIENT_AUTH))),
    sequence(SUBJECT_ALT_NAME, octetString(principal)),
  );
}

/** Positive, as the standard asks. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes;
}
