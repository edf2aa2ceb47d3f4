import type { Migration } from "../../../../platform/db/index.js";
import { createPlacement } from "./0001-create-placement.js";

/** The history of Placement's schema, oldest first. */
export const placementMigrations: readonly Migration[] = [createPlacement];
