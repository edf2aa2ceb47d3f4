import { readFileSync } from "node:fs";
import type { Actor } from "../../pkg/kernel/index.js";
import type { RuleName } from "../../pkg/policy/index.js";

/** The least role that a rule asks for; administrators pass them all but `nobody`. */
type Who = "admin" | "manager" | "member" | "reader" | "service" | "user" | "anyone" | "nobody";

interface Fact {
  readonly who: Who;
  readonly scopes: readonly string[];
}

export interface Owner {
  readonly projectId: string;
  readonly userId: string;
}

/** `facts.tsv`: Nova's defaults, told apart from the code that they are held against. */
const facts: ReadonlyMap<string, Fact> = new Map(
  readFileSync(new URL("facts.tsv", import.meta.url), "utf8")
    .split("\n")
    .slice(2)
    .filter((line) => line !== "")
    .map((line) => {
      const [rule = "", who = "", scopes = ""] = line.split("\t");
      return [rule, { who: who as Who, scopes: scopes.split(",") }] as const;
    }),
);

export const allRules = [...facts.keys()] as RuleName[];

export function factOf(rule: RuleName): Fact {
  const fact = facts.get(rule);
  if (fact === undefined) throw new Error(`facts.tsv does not know ${rule}`);
  return fact;
}

/** Whether Nova would let a caller pass: a few lines that know nothing of the policy language. */
export function mayPass(rule: RuleName, actor: Actor, owner: Owner): boolean {
  const fact = factOf(rule);
  if (!fact.scopes.includes(scopeOf(actor))) return false;
  const has = (role: string): boolean => actor.roles.includes(role);
  switch (fact.who) {
    case "nobody":
      return false;
    case "anyone":
      return true;
    case "user":
      return has("admin") || actor.userId === owner.userId;
    case "service":
    case "admin":
      return has("admin") || has(fact.who);
    default:
      return has("admin") || (has(fact.who) && actor.projectId === owner.projectId);
  }
}

/** As oslo.policy has it: a token of nothing counts as one of a project. */
function scopeOf({ systemScope, domainId }: Actor): string {
  if (systemScope) return "system";
  return domainId === "" ? "project" : "domain";
}
