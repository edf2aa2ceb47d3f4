import type { IdentityTables } from "./identity/index.js";
import type { ImageTables } from "./image/index.js";
import type { NetworkTables } from "./network/index.js";

/** All tables of schema `standalone`; each service uses only its own. */
export type StandaloneSchema = IdentityTables & ImageTables & NetworkTables;
