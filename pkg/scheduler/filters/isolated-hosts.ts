import { z } from "zod";
import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/** Keeps isolated images on isolated hosts, and others away from them. @source nova IsolatedHostsFilter */
export default hostFilter("IsolatedHostsFilter", {
  onRebuild: true,
  options: {
    isolatedHosts: z.array(z.string()).default([]).describe("Hosts for isolated images."),
    isolatedImages: z.array(z.string()).default([]).describe("Image ids that run on isolated hosts only."),
    restrictIsolatedHostsToIsolatedImages: z
      .boolean()
      .default(true)
      .describe("Whether isolated hosts take no other images."),
  },
  tellings: {
    IMAGE_NEEDS_ISOLATED_HOST: tells("not among the hosts of this image"),
    HOST_IS_ISOLATED: tells("kept for other images"),
  },
  judge: (host, { image }, { isolatedHosts, isolatedImages, restrictIsolatedHostsToIsolatedImages }) => {
    const hostIsolated = isolatedHosts.includes(host.host);
    const imageIsolated = image !== undefined && isolatedImages.includes(image.id);
    if (imageIsolated && !hostIsolated) return refuse("IMAGE_NEEDS_ISOLATED_HOST");
    return hostIsolated && !imageIsolated && restrictIsolatedHostsToIsolatedImages
      ? refuse("HOST_IS_ISOLATED")
      : pass;
  },
});
