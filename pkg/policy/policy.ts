import type { Actor } from "../kernel/index.js";
import { compileCheck } from "./compile.js";
import type { Judge, Question, Target } from "./compile.js";
import { PolicyErrors } from "./errors.js";
import { parseCheck } from "./parse.js";
import type { Check } from "./parse.js";
import { ruleDefaults } from "./rule-defaults.js";
import type { RuleName } from "./rule-defaults.js";
import type { RuleDefault, Scope } from "./rule.js";

/**
 * Who may do what. Roles are expected with the implied ones written out (admin ⇒ manager ⇒ member ⇒ reader).
 */
export interface Policy {
  /** For rules that only change an answer. @cost under 5 µs, no I/O */
  allows(actor: Actor, rule: RuleName, target?: Target): boolean;
  /** @throws FORBIDDEN naming the rule */
  enforce(actor: Actor, rule: RuleName, target?: Target): void;
  /** The check in force, as text: for `kilonova policy`. */
  checkOf(rule: RuleName): string;
}

/**
 * Compiles the defaults and an operator's overrides.
 * @param overrides  checks by rule; names that are no rule may only be building blocks of other overrides
 * @throws BAD_POLICY for a syntax error, an unknown or unused name, or rules that refer to each other in a
 *   circle
 */
export function createPolicy(overrides: Readonly<Record<string, string>> = {}): Policy {
  const texts = new Map<string, string>(
    Object.entries(ruleDefaults).map(([name, rule]) => [name, rule.check]),
  );
  for (const [name, text] of Object.entries(overrides)) texts.set(name, text);
  const checks = new Map([...texts].map(([name, text]) => [name, parsed(name, text)] as const));
  verify(checks, Object.keys(overrides));
  const judges = compileAll(checks);
  const allows = (actor: Actor, rule: RuleName, target: Target = ownTarget(actor)): boolean =>
    inScope(actor, ruleDefaults[rule]) &&
    judgeOf(judges, rule)({ actor, target, isAdmin: isAdminBy(judges) });
  return {
    allows,
    enforce: (actor, rule, target) => {
      if (!allows(actor, rule, target)) throw PolicyErrors.FORBIDDEN({ rule });
    },
    checkOf: (rule) => texts.get(rule) ?? "",
  };
}

/** What rules without a resource are asked about: the caller's own user and project. */
const ownTarget = (actor: Actor): Target => ({ user_id: actor.userId, project_id: actor.projectId });

function parsed(rule: string, text: string): Check {
  try {
    return parseCheck(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw PolicyErrors.BAD_POLICY({ rule, problem: error.message }, { cause: error });
  }
}

function compileAll(checks: ReadonlyMap<string, Check>): ReadonlyMap<string, Judge> {
  const judges = new Map<string, Judge>();
  for (const [name, check] of checks)
    judges.set(
      name,
      compileCheck(check, (other) => judgeOf(judges, other)),
    );
  return judges;
}

const never: Judge = () => false;
const judgeOf = (judges: ReadonlyMap<string, Judge>, name: string): Judge => judges.get(name) ?? never;

/** `is_admin` is what context_is_admin says; inside that rule itself it is false, so that it always ends. */
function isAdminBy(judges: ReadonlyMap<string, Judge>): (question: Question) => boolean {
  return (question) => judgeOf(judges, "context_is_admin")({ ...question, isAdmin: () => false });
}

function inScope(actor: Actor, rule: RuleDefault): boolean {
  if (rule.scopes.length === 0) return true;
  const scope: Scope = actor.systemScope
    ? "system"
    : actor.projectId === "" && actor.domainId !== ""
      ? "domain"
      : "project";
  return rule.scopes.includes(scope);
}

function verify(checks: ReadonlyMap<string, Check>, overridden: readonly string[]): void {
  const used = new Set<string>();
  for (const [rule, check] of checks) {
    for (const other of references(check)) {
      if (!checks.has(other))
        throw PolicyErrors.BAD_POLICY({ rule, problem: `it refers to the unknown rule "${other}"` });
      if (other !== rule) used.add(other);
    }
  }
  for (const rule of overridden) {
    if (!(rule in ruleDefaults) && !used.has(rule))
      throw PolicyErrors.BAD_POLICY({ rule, problem: "there is no such rule" });
  }
  for (const rule of checks.keys()) refuseCircle(checks, rule, []);
}

function refuseCircle(checks: ReadonlyMap<string, Check>, rule: string, path: readonly string[]): void {
  if (path.includes(rule))
    throw PolicyErrors.BAD_POLICY({ rule, problem: `it refers to itself: ${[...path, rule].join(" → ")}` });
  const check = checks.get(rule);
  for (const other of check === undefined ? [] : references(check))
    refuseCircle(checks, other, [...path, rule]);
}

function references(check: Check): readonly string[] {
  switch (check.type) {
    case "rule":
      return [check.name];
    case "not":
      return references(check.of);
    case "and":
    case "or":
      return check.of.flatMap(references);
    default:
      return [];
  }
}
