import assert from "node:assert/strict";
import { X509Certificate, createPublicKey, createSign, createVerify } from "node:crypto";
import { makePassword } from "./chance.js";
import { makeSshKeys, sshFingerprint } from "./ssh-keys.js";
import { makeX509, x509Fingerprint } from "./x509.js";

// A well-known test key of OpenSSH's documentation style; its MD5 fingerprint was taken with ssh-keygen -l -E
// md5.
const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl user@host";

describe("ssh keys", () => {
  it("makes pairs whose halves belong together", async () => {
    const { publicKey, privateKey } = await makeSshKeys();
    assert.match(privateKey, /^-----BEGIN RSA PRIVATE KEY-----/);
    assert.match(sshFingerprint(publicKey), /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    const signature = createSign("sha256").update("x").sign(privateKey);
    assert.ok(createVerify("sha256").update("x").verify(createPublicKey(privateKey), signature));
    const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
    const { n = "" } = createPublicKey(privateKey).export({ format: "jwk" });
    assert.ok(blob.includes(Buffer.from(n, "base64url")));
  });

  it("takes keys with and without comment", () => {
    assert.equal(sshFingerprint(ED25519), sshFingerprint(ED25519.replace(" user@host", "")));
  });

  for (const [what, key] of [
    ["nonsense", "hello"],
    ["another type than it says", ED25519.replace("ssh-ed25519", "ssh-rsa")],
    ["a cut key", ED25519.slice(0, 60)],
    ["two keys", `${ED25519}\n${ED25519}`],
    ["no key", ""],
    ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => sshFingerprint(key), { reason: "BAD_PUBLIC_KEY", kind: "invalid" });
    });
  }
});

describe("certificates", () => {
  it("makes a self-signed one for the user that OpenSSL can read and verify", async () => {
    const { publicKey, privateKey } = await makeX509("u-1", 1_767_225_600_000_000n);
    const certificate = new X509Certificate(publicKey);
    assert.equal(certificate.subject, "CN=u-1");
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey((await import("node:crypto")).createPrivateKey(privateKey)));
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
    assert.match(certificate.subjectAltName ?? "", /u-1@localhost/);
    assert.equal(certificate.validFrom, "Jan  1 00:00:00 2026 GMT");
    assert.match(x509Fingerprint(publicKey), /^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);
  });

  it("ends after ten years, also beyond 2049, and takes any user's name", async () => {
    const user = `u,=+"ä${"x".repeat(100)}`;
    const { publicKey } = await makeX509(user, 2_500_000_000_000_000n);
    const certificate = new X509Certificate(publicKey);
    assert.equal(certificate.validFrom, "Mar 22 04:26:40 2049 GMT");
    assert.equal(certificate.validTo, "Mar 20 04:26:40 2059 GMT");
    assert.ok(certificate.verify(certificate.publicKey));
    assert.match(certificate.serialNumber, /^[0-7][0-9A-F]{31}$/);
  });

  it("refuses what is no certificate", () => {
    assert.throws(() => x509Fingerprint("x"), { reason: "BAD_PUBLIC_KEY" });
  });
});

describe("makePassword", () => {
  it("has twelve unmistakable characters of every kind", () => {
    for (let i = 0; i < 50; i++)
      assert.match(makePassword(), /^(?=.*[2-9])(?=.*[A-Z])(?=.*[a-z])[2-9A-HJ-NP-Za-km-z]{12}$/);
  });
});
