import type { Actor } from "../kernel/index.js";
import type { Check } from "./parse.js";

/** Attributes of what is acted on, such as `project_id` and `user_id`. */
export type Target = Readonly<Record<string, string>>;

/** One evaluation. */
export interface Question {
  readonly actor: Actor;
  readonly target: Target;
  /** Answers the credential `is_admin`. */
  readonly isAdmin: (question: Question) => boolean;
}

/** A check ready to be asked; no I/O, under a microsecond for the defaults. */
export type Judge = (question: Question) => boolean;

/** @param ruleNamed  finds the judge of another rule; called when asked, so that rules may refer forward */
export function compileCheck(check: Check, ruleNamed: (name: string) => Judge): Judge {
  switch (check.type) {
    case "always":
      return () => true;
    case "never":
      return () => false;
    case "not": {
      const inner = compileCheck(check.of, ruleNamed);
      return (q) => !inner(q);
    }
    case "and": {
      const all = check.of.map((one) => compileCheck(one, ruleNamed));
      return (q) => all.every((judge) => judge(q));
    }
    case "or": {
      const any = check.of.map((one) => compileCheck(one, ruleNamed));
      return (q) => any.some((judge) => judge(q));
    }
    case "rule": {
      const { name } = check;
      return (q) => ruleNamed(name)(q);
    }
    case "role":
      return compileRole(check.match);
    case "compare":
      return compileCompare(check.left, check.match);
  }
}

function compileRole(match: string): Judge {
  const text = compileText(match);
  return (q) => {
    const wanted = text(q.target)?.toLowerCase();
    return wanted !== undefined && q.actor.roles.some((role) => role.toLowerCase() === wanted);
  };
}

function compileCompare(left: string, match: string): Judge {
  const text = compileText(match);
  const literal = /^(?:'(.*)'|"(.*)"|(True|False|None|-?\d+))$/.exec(left);
  if (literal !== null) {
    const value = literal[1] ?? literal[2] ?? literal[3];
    return (q) => text(q.target) === value;
  }
  return (q) => {
    const wanted = text(q.target);
    return wanted !== undefined && credentials(q, left).includes(wanted);
  };
}

const PLACEHOLDER = /%\(([^)]*)\)s/g;

/** @returns the text with the target's attributes filled in; undefined when one is missing, which refuses */
function compileText(match: string): (target: Target) => string | undefined {
  const whole = /^%\(([^)]*)\)s$/.exec(match);
  if (whole !== null) {
    const name = whole[1] ?? "";
    return (target) => target[name];
  }
  if (!match.includes("%(")) return () => match;
  return (target) => {
    let missing = false;
    const text = match.replace(PLACEHOLDER, (_all, name: string) => {
      missing ||= target[name] === undefined;
      return target[name] ?? "";
    });
    return missing ? undefined : text;
  };
}

/**
 * What the token says under a name of oslo.policy's credentials; several values for lists, none when it says
 * nothing.
 */
function credentials(q: Question, name: string): readonly string[] {
  const { actor } = q;
  switch (name) {
    case "user_id":
      return present(actor.userId);
    case "project_id":
    case "tenant_id":
    case "tenant":
      return present(actor.projectId);
    case "domain_id":
      return present(actor.domainId);
    case "roles":
      return actor.roles;
    case "system_scope":
      return actor.systemScope ? ["all"] : [];
    case "is_admin":
      return [q.isAdmin(q) ? "True" : "False"];
    default:
      return [];
  }
}

const present = (value: string): readonly string[] => (value === "" ? [] : [value]);
