import { z } from "zod";

const limit = (value: number, text: string) => z.number().int().min(-1).default(value).describe(text);

/** What one project may have, and how much the service does at once. Names of limits are Cinder's. */
export const volumeConfig = z
  .object({
    quotaVolumes: limit(10, "Volumes of a project; -1 for no limit."),
    quotaSnapshots: limit(10, "Snapshots of a project; -1 for no limit."),
    quotaGigabytes: limit(1_000, "GiB of a project's volumes and snapshots together; -1 for no limit."),
    perVolumeGigabytes: limit(-1, "Largest volume, in GiB; -1 for no limit."),
    freeSpaceMib: z
      .number()
      .int()
      .min(0)
      .default(2_048)
      .describe(
        "No data is copied into a volume, a snapshot or an image when less than so many MiB would stay free on the disk of the volumes. Volumes take only the space that is written to them.",
      ),
    copiesAtOnce: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(2)
      .describe("Copies, downloads and uploads of volumes' data at the same time; others wait."),
    copiesWaiting: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe("Work that may wait for its turn; more is refused with 503."),
  })
  .describe("The Block Storage service that Kilonova brings along: quotas of each project, and bounds.");

export type VolumeConfig = z.infer<typeof volumeConfig>;
