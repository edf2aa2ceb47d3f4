import type { Clock } from "../../kernel/index.js";
import type { Passwords } from "./adapters/crypto.js";
import type { SecretChecks } from "./adapters/secret-checks.js";
import type { Assignments } from "./adapters/sql/assignments.js";
import type { CredentialStore } from "./adapters/sql/credentials.js";
import type { Directory } from "./adapters/sql/directory.js";
import type { TokenStore } from "./adapters/sql/tokens.js";
import type { ServiceConfig } from "./domain/catalog.js";

/** All that the Identity service works with. */
export interface IdentityParts {
  readonly directory: Directory;
  readonly assignments: Assignments;
  readonly tokens: TokenStore;
  readonly credentials: CredentialStore;
  /** Without turns and limits: for the seed, never for what comes from outside. */
  readonly passwords: Passwords;
  readonly secrets: SecretChecks;
  readonly clock: Clock;
  readonly config: IdentityConfig;
}

export interface IdentityConfig {
  readonly region: string;
  /** Asked at each use: addresses may only be known once the services listen. */
  readonly services: () => readonly ServiceConfig[];
  /** Seconds a new token lives; Keystone's default is 3,600. */
  readonly tokenSeconds: number;
}
