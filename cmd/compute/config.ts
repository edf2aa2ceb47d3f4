import { z } from "zod";
import { computeConfig, vendordataConfig, vendordataDynamicAuthConfig } from "../../pkg/compute/index.js";
import { secret } from "../../pkg/platform/config/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";
import { identityConfig } from "../shared/sections.js";

const hostStateConfig = z
  .object({
    stateDir: z
      .string()
      .default("/var/lib/kilonova")
      .describe("Folder of the hosts' state: guests' disks, images, journals."),
    guestSeed: secret(z.string().default("")).describe(
      "Secret from which guests' entropy is derived, base64 of 32 bytes or more; the same for all hosts.",
    ),
  })
  .describe("What a compute process keeps on its machine.");

export const sections = {
  ...clusterSections,
  identity: identityConfig,
  compute: computeConfig,
  hostState: hostStateConfig,
  vendordata: vendordataConfig,
  vendordataDynamicAuth: vendordataDynamicAuthConfig,
} as const;
