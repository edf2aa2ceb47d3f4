import type { Actor, Clock, Ctx } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import type { HttpEnv } from "../../platform/http/index.js";
import type { Express } from "express";
import type { Authenticate } from "../shared/auth.js";
import { scryptPasswords, tokenHash } from "./adapters/crypto.js";
import type { PasswordCost } from "./adapters/crypto.js";
import { identityApp } from "./adapters/http/app.js";
import { KnownTokens } from "./adapters/known-tokens.js";
import { assignments } from "./adapters/sql/assignments.js";
import { credentialStore } from "./adapters/sql/credentials.js";
import { directory } from "./adapters/sql/directory.js";
import type { IdentityTables } from "./adapters/sql/tables.js";
import { tokenStore } from "./adapters/sql/tokens.js";
import type { TokenView } from "./domain/model.js";
import type { IdentityConfig, IdentityParts } from "./ports.js";

export type { IdentityTables } from "./adapters/sql/tables.js";
export type { ServiceConfig } from "./domain/catalog.js";
export type { IdentityConfig, IdentityParts } from "./ports.js";
export { newId } from "./adapters/crypto.js";
export type { PasswordCost } from "./adapters/crypto.js";

/** A running Identity service without its socket. */
export interface Identity {
  readonly parts: IdentityParts;
  /** Checks tokens in process, for the services beside it. */
  readonly authenticate: Authenticate;
  app(env: HttpEnv & { readonly corsOrigins?: readonly string[] }): Express;
}

/** Puts the Identity service together over its tables. */
export function buildIdentity(options: {
  readonly db: Database<IdentityTables>;
  readonly clock: Clock;
  readonly config: IdentityConfig;
  readonly passwordCost?: PasswordCost;
}): Identity {
  const { db, clock, config } = options;
  const known = new KnownTokens(clock);
  const parts: IdentityParts = {
    directory: known.watching(directory(db)),
    assignments: known.watching(assignments(db)),
    tokens: known.watching(tokenStore(db), ["insert"]),
    credentials: known.watching(credentialStore(db), ["insert"]),
    passwords: scryptPasswords(options.passwordCost),
    clock,
    config,
  };
  const authenticate = async (ctx: Ctx, token: string): Promise<Actor | undefined> => {
    const hash = tokenHash(token);
    const view = await known.find(ctx, hash, (inner) => parts.tokens.find(inner, hash, clock.now(), false));
    return view && actorOf(view);
  };
  return { parts, authenticate, app: (env) => identityApp(parts, env, authenticate) };
}

/** The actor of a token; its domain is that of the scope, else of the user. */
const actorOf = (view: TokenView): Actor => ({
  kind: "user",
  userId: view.record.userId,
  projectId: view.project?.id ?? "",
  domainId: view.domain?.id ?? view.project?.domain.id ?? view.user.domain.id,
  roles: view.roles.map((role) => role.name),
  systemScope: view.record.scope?.kind === "system",
  service: "",
  host: "",
});
