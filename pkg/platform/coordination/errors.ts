import { defineErrors } from "../../kernel/errors.js";

export const CoordinationErrors = defineErrors("coordination", {
  STORE_UNAVAILABLE: [
    "unavailable",
    (_p: Record<string, never>) => "The coordination store is unavailable at this time.",
  ],
  LEASE_LOST: [
    "unavailable",
    (_p: Record<string, never>) => "This process could not prove in time that it is alive.",
  ],
  LEASE_REVOKED: ["cancelled", (_p: Record<string, never>) => "The lease was given back."],
});
