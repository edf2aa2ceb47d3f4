export { createPolicy } from "./policy.js";
export type { Policy } from "./policy.js";
export { parseOverrides } from "./overrides.js";
export type { Target } from "./compile.js";
export { ruleDefaults } from "./rule-defaults.js";
export type { RuleName } from "./rule-defaults.js";
export type { RuleDefault, Scope } from "./rule.js";
export { PolicyErrors } from "./errors.js";
