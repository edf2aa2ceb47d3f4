import type { IdentityTables } from "./identity/index.js";

/** All tables of schema `standalone`; each service uses only its own. */
export type StandaloneSchema = IdentityTables;
