import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../../pkg/platform/files/index.js";

/** What is made once per installation and kept in `secrets.json`, mode 0600. */
export interface Secrets {
  readonly adminPassword: string;
  readonly demoPassword: string;
  readonly servicePassword: string;
  /** 32 bytes, base64: encrypts user data and passwords at rest. */
  readonly encryptionKey: string;
  /** Seeds the guests' entropy. */
  readonly guestSeed: string;
  readonly metadataSecret: string;
}

const fresh = (): Secrets => ({
  adminPassword: randomBytes(12).toString("hex"),
  demoPassword: randomBytes(12).toString("hex"),
  servicePassword: randomBytes(24).toString("base64url"),
  encryptionKey: randomBytes(32).toString("base64"),
  guestSeed: randomBytes(32).toString("base64"),
  metadataSecret: randomBytes(24).toString("base64url"),
});

/** Reads the secrets, or makes them; a half-written file cannot come to be. */
export async function loadSecrets(home: string): Promise<Secrets> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const path = join(home, "secrets.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const known = text === undefined ? {} : (JSON.parse(text) as Partial<Secrets>);
  const secrets = { ...fresh(), ...known };
  if (Object.keys(known).length < Object.keys(secrets).length)
    await writeFileAtomic(path, `${JSON.stringify(secrets, undefined, 2)}\n`);
  return secrets;
}
