import { defineErrors } from "../../kernel/index.js";

/** What may go wrong between us and Identity. */
export const KeystoneErrors = defineErrors("keystone", {
  TOKEN_INVALID: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
  /** Identity refuses a caller's token while we work for him. */
  TOKEN_REFUSED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
  IDENTITY_UNAVAILABLE: [
    "unavailable",
    (_p: Record<string, never>) => "The Identity service is unavailable at this time.",
  ],
  /** Our own service user was refused: a matter for the operator. */
  SERVICE_LOGIN_FAILED: [
    "unavailable",
    (_p: Record<string, never>) => "The Identity service is unavailable at this time.",
  ],
  ENDPOINT_NOT_FOUND: [
    "unavailable",
    (p: { service: string }) => `No address of the ${p.service} service is known.`,
  ],
  UNEXPECTED_ANSWER: [
    "internal",
    (_p: Record<string, never>) => "The Identity service gave an answer that could not be understood.",
  ],
});
