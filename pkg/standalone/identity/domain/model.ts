import type { Instant } from "../../../kernel/index.js";

export type Json = Readonly<Record<string, unknown>>;

/** What domains, projects, users and roles have besides their own attributes. */
export interface Annotated {
  /** Options of Keystone's own, such as `immutable`. */
  readonly options: Json;
  /** Attributes that a client made up; shown as if they were the thing's own. */
  readonly extra: Json;
}

export interface Domain extends Annotated {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly description: string;
}

export interface Project extends Annotated {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly parentId: string;
  readonly enabled: boolean;
  readonly description: string;
  readonly tags: readonly string[];
}

export interface User extends Annotated {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly enabled: boolean;
  readonly description: string;
  readonly email: string | null;
  readonly defaultProjectId: string | null;
}

/** Option of a user whose wrong passwords have no consequences; Keystone's name. */
export const NO_LOCKOUT = "ignore_lockout_failure_attempts";

export interface Role extends Annotated {
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

/** Filters of lists; absent ones match everything. */
export interface DirectoryFilter {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly domainId?: string | undefined;
  readonly parentId?: string | undefined;
  readonly enabled?: boolean | undefined;
  /** Of projects. */
  readonly tags?:
    | readonly { readonly names: readonly string[]; readonly all: boolean; readonly not: boolean }[]
    | undefined;
}

/** Where a role holds, and what a token is for. */
export type Scope =
  | { readonly kind: "project"; readonly projectId: string }
  | { readonly kind: "domain"; readonly domainId: string }
  | { readonly kind: "system" };

export interface Assignment {
  readonly userId: string;
  readonly roleId: string;
  readonly scope: Scope;
}

/** Whoever asks for a token, without the proof. */
export type UserRef = { readonly id: string } | { readonly name: string; readonly domain: DomainRef };
export type DomainRef = { readonly id: string } | { readonly name: string };
export type ProjectRef = { readonly id: string } | { readonly name: string; readonly domain: DomainRef };

/** What a request wants its token to be for; `default` is the user's default project, if it has one. */
export type WantedScope =
  | { readonly kind: "project"; readonly project: ProjectRef }
  | { readonly kind: "domain"; readonly domain: DomainRef }
  | { readonly kind: "system" | "unscoped" | "default" };

/** One proof of identity. */
export type Proof =
  | { readonly method: "password"; readonly user: UserRef; readonly password: string }
  | { readonly method: "token"; readonly token: string }
  | {
      readonly method: "application_credential";
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: UserRef };
      readonly secret: string;
    };

export interface AuthRequest {
  readonly proofs: readonly Proof[];
  readonly scope: WantedScope;
}

/** A token as it is stored: everything but its secret. */
export interface TokenRecord {
  readonly auditId: string;
  /** Audit id of the first token of a chain of re-scopings; "" for a first one. */
  readonly chainId: string;
  readonly userId: string;
  readonly scope: Scope | undefined;
  readonly methods: readonly string[];
  readonly applicationCredentialId: string | null;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** A token together with the names that its answer shows. */
export interface TokenView {
  readonly record: TokenRecord;
  readonly user: Named & { readonly domain: Named };
  readonly project: (Named & { readonly domain: Named }) | undefined;
  readonly domain: Named | undefined;
  /** Written out: implied ones included. */
  readonly roles: readonly Named[];
}
