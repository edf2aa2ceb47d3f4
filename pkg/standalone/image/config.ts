import { z } from "zod";

const limit = (value: number, text: string) => z.number().int().min(-1).default(value).describe(text);

/** What one project may store, and what stays free for everybody else. Names are those of Glance's limits. */
export const imageConfig = z
  .object({
    imageSizeTotal: limit(
      51_200,
      "Data of all images of a project, in MiB, uploads under way included; -1 for no limit.",
    ),
    imageCountTotal: limit(100, "Images of a project, also those without data; -1 for no limit."),
    imageCountUploading: limit(4, "Uploads of a project at the same time; -1 for no limit."),
    imageSizeCap: z
      .number()
      .int()
      .min(1)
      .default(64 * 2 ** 30)
      .describe("Largest image, in bytes."),
    freeSpaceMib: z
      .number()
      .int()
      .min(0)
      .default(2_048)
      .describe(
        "Uploads are refused with 503 when less than so many MiB would stay free on the disk of the images: often the database lives there too.",
      ),
  })
  .describe(
    "The Image service that Kilonova brings along: quotas of each project, and a floor under the disk.",
  );

export type ImageConfig = z.infer<typeof imageConfig>;
