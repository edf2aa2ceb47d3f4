import { defineErrors } from "../kernel/index.js";

export const PolicyErrors = defineErrors("policy", {
  FORBIDDEN: ["forbidden", (p: { rule: string }) => `Policy doesn't allow ${p.rule} to be performed.`],
  BAD_POLICY: ["invalid", (p: { rule: string; problem: string }) => `Policy rule ${p.rule}: ${p.problem}`],
});
