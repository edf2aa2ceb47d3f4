import { X509Certificate, createHash, generateKeyPair, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Extension, Extensions } from "@peculiar/asn1-x509";
import type { Instant } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import type { MadeKeys } from "./ssh-keys.js";

const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
const COMMON_NAME = "2.5.4.3";
const USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3";
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
  // Few ask for certificates: what makes them is loaded by the first.
  const [{ AsnConvert }, x509] = await Promise.all([
    import("@peculiar/asn1-schema"),
    import("@peculiar/asn1-x509"),
  ]);
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: SHA256_WITH_RSA, parameters: null });
  const commonName = new x509.AttributeTypeAndValue({
    type: COMMON_NAME,
    value: new x509.AttributeValue({ utf8String: userId.slice(0, 64) }),
  });
  const name = new x509.Name([new x509.RelativeDistinguishedName([commonName])]);
  const body = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: arrayBuffer(serial()),
    signature: algorithm,
    issuer: name,
    subject: name,
    validity: new x509.Validity({ notBefore: dateOf(now), notAfter: dateOf(now + TEN_YEARS) }),
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: "spki", format: "der" }),
      x509.SubjectPublicKeyInfo,
    ),
    extensions: await extensionsFor(userId),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(body)), privateKey);
  const certificate = AsnConvert.serialize(
    new x509.Certificate({
      tbsCertificate: body,
      signatureAlgorithm: algorithm,
      signatureValue: arrayBuffer(signature),
    }),
  );
  return {
    publicKey: new X509Certificate(Buffer.from(certificate)).toString(),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

async function extensionsFor(userId: string): Promise<Extensions> {
  const [{ AsnConvert, AsnUtf8StringConverter, OctetString }, x509] = await Promise.all([
    import("@peculiar/asn1-schema"),
    import("@peculiar/asn1-x509"),
  ]);
  const extension = (extnID: string, value: object): Extension =>
    new x509.Extension({ extnID, extnValue: new OctetString(AsnConvert.serialize(value)) });
  const principal = new x509.OtherName({
    typeId: USER_PRINCIPAL_NAME,
    value: AsnUtf8StringConverter.toASN(`${userId}@localhost`).toBER(),
  });
  return new x509.Extensions([
    extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_clientAuth])),
    extension(
      x509.id_ce_subjectAltName,
      new x509.SubjectAlternativeName([new x509.GeneralName({ otherName: principal })]),
    ),
  ]);
}

const dateOf = (at: Instant): Date => new Date(Number(at / 1000n));
const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

/** Positive, as the standard asks. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes;
}
