import { stat } from "node:fs/promises";
import { ifThere } from "../../../platform/files/index.js";
import type { Definition } from "./definition.js";
import { asStarted } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import type { GuestPaths } from "./guest-paths.js";

/** The files of the image cache that the guest's next start needs and that are not there. */
export async function missingImages(definition: Definition, paths: GuestPaths): Promise<readonly string[]> {
  const { kernel } = asStarted(definition).spec;
  const needed = [
    ...planDisks(definition, paths).map(({ base }) => base),
    kernel?.kernelPath,
    kernel?.ramdiskPath,
  ].filter((path) => typeof path === "string");
  const missing: string[] = [];
  for (const path of new Set(needed)) if ((await ifThere(stat(path))) === undefined) missing.push(path);
  return missing;
}
