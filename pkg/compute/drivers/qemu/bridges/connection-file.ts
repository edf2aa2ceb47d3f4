import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { ifThere, makeFolder, writeFileAtomic } from "../../../../platform/files/index.js";
import type { VolumeConnection } from "../../../driver.js";
import { DriverErrors } from "../../errors.js";
import type { VolumePaths } from "../guest-paths.js";

/** In JSON it is not there. */
const orNone = z
  .string()
  .optional()
  .transform((text) => text);

const at: z.ZodType<VolumeConnection["at"]> = z.union([
  z.object({ type: z.literal("nbd"), unix: z.string(), exportName: z.string() }),
  z.object({ type: z.literal("nbd"), host: z.string(), port: z.number().int(), exportName: z.string() }),
  z.object({
    type: z.literal("iscsi"),
    portal: z.string(),
    target: z.string(),
    lun: z.number().int(),
    chap: z.object({ user: z.string(), password: z.string() }).optional(),
  }),
  z.object({
    type: z.literal("rbd"),
    pool: z.string(),
    image: z.string(),
    monitors: z.array(z.object({ host: z.string(), port: z.string() })),
    user: orNone,
    key: orNone,
    cluster: z.string(),
  }),
  z.object({ type: z.literal("file"), path: z.string() }),
]);
const schema = z.object({ readOnly: z.boolean(), shared: z.boolean(), at });

/** Keeps how a volume is reached, for the starts to come; nobody but the agent may read it. */
export async function keepConnection(paths: VolumePaths, connection: VolumeConnection): Promise<void> {
  makeFolder(dirname(paths.connection), 0o700);
  await writeFileAtomic(paths.connection, JSON.stringify(connection));
}

/** @throws VOLUME_NOT_REACHABLE when there is none, or none that this version understands */
export async function keptConnection(volumeId: string, paths: VolumePaths): Promise<VolumeConnection> {
  const text = await ifThere(readFile(paths.connection, "utf8"));
  try {
    return schema.parse(JSON.parse(text ?? ""));
  } catch {
    // What it holds may be secret, so nobody is told why.
    throw DriverErrors.VOLUME_NOT_REACHABLE({ volume: volumeId });
  }
}

export async function forgetConnection(paths: VolumePaths): Promise<void> {
  await rm(paths.connection, { force: true });
  await rm(paths.log, { force: true });
}
