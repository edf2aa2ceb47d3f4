import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root, wherever it was cloned to. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
