import { KilonovaError } from "../../kernel/index.js";

/** Where a rebuild has what a create has elsewhere: it is the image that does not fit the flavor. */
const FIELDS: Readonly<Record<string, string>> = {
  flavor_id: "image_id",
  disk_config: "server.disk_config",
  key_name: "server.key_name",
};

/** Nova says it in other words than for a create. */
const TEXTS: Readonly<Record<string, string>> = { IMAGE_NOT_FOUND: "Cannot find image for rebuild" };

/** Does what a create does, too, and refuses as a rebuild: other words, other fields, the same reasons. */
export async function asRebuild<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KilonovaError)) throw error;
    const { kind, domain, reason, facts, subject, cause } = error;
    const message = TEXTS[reason] ?? error.message;
    const violations = error.violations.map(({ field }) => ({
      field: FIELDS[field] ?? field,
      description: message,
    }));
    throw new KilonovaError({ kind, domain, reason, message, facts, violations, subject, cause });
  }
}
