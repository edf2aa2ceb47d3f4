import type { Actor, Clock, Ctx } from "../../kernel/index.js";
import type { RightsChange } from "../../model/rights-change.js";
import type { Database } from "../../platform/db/index.js";
import type { HttpEnv } from "../../platform/http/index.js";
import type { Express } from "express";
import type { Authenticate } from "../shared/auth.js";
import { scryptPasswords, tokenHash } from "./adapters/crypto.js";
import type { PasswordCost } from "./adapters/crypto.js";
import { identityApp } from "./adapters/http/app.js";
import { KnownTokens } from "./adapters/known-tokens.js";
import { secretChecks } from "./adapters/secret-checks.js";
import { assignments } from "./adapters/sql/assignments.js";
import { credentialStore } from "./adapters/sql/credentials.js";
import { directory } from "./adapters/sql/directory.js";
import type { IdentityTables } from "./adapters/sql/tables.js";
import { tokenStore } from "./adapters/sql/tokens.js";
import { loginsConfig } from "./config.js";
import type { LoginsConfig } from "./config.js";
import type { TokenView } from "./domain/model.js";
import type { IdentityConfig, IdentityParts } from "./ports.js";

export type { IdentityTables } from "./adapters/sql/tables.js";
export { loginsConfig } from "./config.js";
export type { LoginsConfig } from "./config.js";
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
  readonly logins?: LoginsConfig;
  /** Told of every change that may end or widen what tokens are worth, before it is answered. */
  readonly onRightsChange?: (change: RightsChange) => void;
}): Identity {
  const { db, clock, config } = options;
  const passwords = scryptPasswords(options.passwordCost);
  const known = new KnownTokens(clock, options.onRightsChange);
  const ofUser = (userId: string): RightsChange => ({ of: "user", userId });
  const ofNobody = (): undefined => undefined;
  // What any user may do to itself must not make everybody's tokens be asked for again.
  const parts: IdentityParts = {
    directory: known.watching(directory(db), {
      insertDomain: ofNobody,
      insertProject: ofNobody,
      insertUser: ofNobody,
      insertRole: ofNobody,
      updateTags: ofNobody,
      updateUser: ofUser,
      deleteUser: ofUser,
    }),
    assignments: known.watching(assignments(db), {
      grant: ({ userId }) => ofUser(userId),
      revoke: ({ userId }) => ofUser(userId),
    }),
    tokens: known.watching(tokenStore(db), {
      insert: ofNobody,
      revoke: (hash) => ({ of: "token", key: hash.toString("base64") }),
    }),
    credentials: known.watching(credentialStore(db), { insert: ofNobody, remove: ofUser }),
    passwords,
    secrets: secretChecks(passwords, clock, options.logins ?? loginsConfig.parse({})),
    clock,
    config,
  };
  const bearerOf = async (ctx: Ctx, token: string): Promise<Actor | undefined> => {
    const hash = tokenHash(token);
    const view = await known.find(ctx, hash, (inner) => parts.tokens.find(inner, hash, clock.now(), false));
    return view && actorOf(view);
  };
  return {
    parts,
    authenticate: async (ctx, token) => {
      const actor = await bearerOf(ctx, token);
      return actor && outsideIdentity(actor);
    },
    app: (env) => identityApp(parts, env, bearerOf),
  };
}

/** A role in a domain is a right over users and projects: outside of Identity it counts for nothing. */
const outsideIdentity = (actor: Actor): Actor =>
  actor.projectId === "" && !actor.systemScope ? { ...actor, roles: [] } : actor;

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
