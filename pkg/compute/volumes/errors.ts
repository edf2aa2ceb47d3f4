import { defineErrors } from "../../kernel/errors.js";

/** How volumes that cannot be used are refused. */
export const VolumeErrors = defineErrors("compute", {
  CONNECTION_NOT_SUPPORTED: [
    "invalid",
    (p: { protocol: string }) => `Volumes that are reached by ${p.protocol} are not supported.`,
  ],
});
