import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * What a metadata proxy signs an instance id with: hex HMAC-SHA256 under the shared secret. @source nova,
 * neutron metadata agent
 */
export const signInstanceId = (secret: string, instanceId: string): string =>
  createHmac("sha256", secret).update(instanceId).digest("hex");

/** Compares in a time that does not depend on where the texts differ. */
export function isSignedBy(secret: string, instanceId: string, signature: string): boolean {
  const expected = Buffer.from(signInstanceId(secret, instanceId));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
