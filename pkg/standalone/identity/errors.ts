import { defineErrors } from "../../kernel/index.js";

/** Every refusal of the Identity service. */
export const E = defineErrors("identity", {
  NOT_FOUND: ["missing", (p: { what: string; id: string }) => `Could not find ${p.what}: ${p.id}.`],
  TOKEN_NOT_FOUND: ["missing", (_p: Record<string, never>) => "Could not find token."],
  DUPLICATE: [
    "exists",
    (p: { what: string; name: string }) =>
      `Conflict occurred attempting to store ${p.what} - Duplicate entry found with name ${p.name}.`,
  ],
  DOMAIN_ENABLED: [
    "forbidden",
    (_p: Record<string, never>) => "Cannot delete a domain that is enabled, please disable it first.",
  ],
  IMMUTABLE_RESOURCE: [
    "forbidden",
    (p: { what: string; id: string }) =>
      `Unable to change or delete immutable ${p.what} resource: ${p.id}. Set resource option "immutable" to false first.`,
  ],
  NOT_A_LEAF: [
    "forbidden",
    (p: { id: string }) => `Cannot delete the project ${p.id} since it is not a leaf in the hierarchy.`,
  ],
  IMPLIES_ADMIN: ["forbidden", (p: { role: string }) => `Role ${p.role} may not be implied by another.`],
  PASSWORD_LOCKED: [
    "forbidden",
    (_p: Record<string, never>) => "This password is locked: only an administrator may change it.",
  ],
  UNSCOPED_CATALOG: [
    "forbidden",
    (_p: Record<string, never>) => "A project-scoped token is required to produce a service catalog.",
  ],
  IMMUTABLE: ["forbidden", (p: { what: string }) => `${p.what} cannot be changed through this API.`],
  INVALID: ["invalid", (p: { problem: string }) => p.problem],
  BUSY: [
    "unavailable",
    (_p: { retryAfterSeconds: number }) => "Too many authentications are under way; please try again.",
  ],
  TOO_MANY_LOGINS: [
    "quota",
    (_p: { retryAfterSeconds: number }) =>
      "Too many of your authentications are under way; please try again.",
  ],
  /** One text whether the account exists, is locked, or only this address must wait. */
  PAUSE: [
    "quota",
    (p: { retryAfterSeconds: number }) =>
      `Too many failed authentications. Try again in ${p.retryAfterSeconds} seconds.`,
  ],
});

/** 429 is not a kind of error of its own. */
export const statusOverrides = { TOO_MANY_LOGINS: 429, PAUSE: 429 } as const;
