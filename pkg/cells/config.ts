import { z } from "zod";
import { retentionOptions } from "./retention/options.js";

const limit = (value: number, what: string) =>
  z.number().int().min(-1).default(value).describe(`${what} of a project; -1 is unlimited.`);

/** Options of the cells service. */
export const cellsConfig = z
  .object({
    maxInstances: limit(10, "Servers"),
    maxCores: limit(20, "Virtual CPUs of all servers"),
    maxRamMib: limit(51_200, "Memory of all servers in MiB"),
    maxKeyPairs: limit(100, "Key pairs of a user"),
    maxMetadataItems: limit(128, "Metadata items of one server"),
    maxInjectedFiles: limit(5, "Files put into one server"),
    maxInjectedFileContentBytes: limit(10_240, "Bytes of one file put into a server"),
    maxInjectedFilePathBytes: limit(255, "Bytes of the path of one such file"),
    maxServerGroups: limit(10, "Server groups"),
    maxServerGroupMembers: limit(10, "Servers of one server group"),
    costlyListConnections: z
      .number()
      .int()
      .min(2)
      .default(4)
      .describe(
        "Connections of this process to each database server for lists with regular expressions, tags or unusual sorts; they come on top of the others.",
      ),
    costlyListsPerProject: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe("Of these lists, how many of one project run at once: each may keep a core busy."),
    costlyListTimeoutMs: z
      .number()
      .int()
      .min(100)
      .default(2_000)
      .describe("How long such a list may take in the database before LIST_TOO_EXPENSIVE, ms."),
    costlyListWaitMs: z
      .number()
      .int()
      .min(0)
      .default(3_000)
      .describe("How long such a list waits for its turn before TOO_MANY_LISTS, ms."),
    reclaimInstanceIntervalS: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe(
        "How long a deleted server that ever was active can be restored before it is deleted for good, in seconds; 0 deletes at once. The same in every process.",
      ),
    shelvedOffloadS: z
      .number()
      .int()
      .min(-1)
      .default(0)
      .describe(
        "How long a shelved server stays on its host, in seconds (Nova's shelved_offload_time); 0: it leaves at once, -1: never by itself. The same in every process.",
      ),
    resizeConfirmWindowS: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe(
        "After how long a resized or migrated server is confirmed by itself, in seconds (Nova's resize_confirm_window); 0: never. The same in every process.",
      ),
    ...retentionOptions,
    feedKeepHours: z
      .number()
      .int()
      .min(1)
      .default(24)
      .describe(
        "How long changes stay in the feed, in hours; older watch tokens begin anew with a snapshot.",
      ),
  })
  .describe("The cells service: records, operations, quota.");

export type CellsConfig = z.output<typeof cellsConfig>;

/** Limits by Nova's resource names. */
export const defaultLimitsOf = (config: CellsConfig): Readonly<Record<string, number>> => ({
  instances: config.maxInstances,
  cores: config.maxCores,
  ram: config.maxRamMib,
  key_pairs: config.maxKeyPairs,
  metadata_items: config.maxMetadataItems,
  injected_files: config.maxInjectedFiles,
  injected_file_content_bytes: config.maxInjectedFileContentBytes,
  injected_file_path_bytes: config.maxInjectedFilePathBytes,
  server_groups: config.maxServerGroups,
  server_group_members: config.maxServerGroupMembers,
});
