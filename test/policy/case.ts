import type { RuleName } from "../../pkg/policy/index.js";
import { caller } from "./callers.js";
import { mayPass } from "./facts.js";
import type { World } from "./world.js";

/** One form of a request, and what is expected of policy for it. */
export interface Expected {
  /** Tells forms of one method or route apart. */
  readonly form?: string;
  /** Rules that refuse the call, in the order in which they are asked. */
  readonly needs: readonly RuleName[];
  /** Rules that refuse administrators only: what they are about is nothing to others. */
  readonly needsOfAdmins?: readonly RuleName[];
  /** Rules that only change its answer. */
  readonly shows?: readonly RuleName[];
  /**
   * Whose it is about: the caller's own project; something of p1 that others do not find; something of the
   * user u1 that others are refused.
   */
  readonly about?: "caller" | "project" | "user";
  /** Rules that are overridden for this form throughout: those that hide the ones it is about. */
  readonly given?: Readonly<Partial<Record<RuleName, string>>>;
}

/** What came of a call, as far as policy is concerned. */
export interface Outcome {
  readonly end: "done" | "missing" | string;
  /** The answer without what differs between two equal calls. */
  readonly print: string;
}

export interface Case extends Expected {
  /** Method or route, and form. */
  readonly name: string;
  run(world: World, callerName: string): Promise<Outcome>;
}

export const refusedBy = (rule: string): string => `refused by ${rule}`;

/** What Nova would answer: 404 before 403, and the first rule that refuses is named. */
export function expectedEnd(expected: Expected, callerName: string): string {
  const { about = "caller" } = expected;
  const actor = caller(callerName);
  if (about === "project" && actor.projectId !== "p1" && !actor.roles.includes("admin")) return "missing";
  const own = { projectId: actor.projectId, userId: actor.userId };
  const owner = about === "caller" ? own : { projectId: about === "user" ? "" : "p1", userId: "u1" };
  const needs = actor.roles.includes("admin") ? allNeeds(expected) : expected.needs;
  const refusing = needs.find((rule, index) => !mayPass(rule, actor, index === 0 ? owner : own));
  return refusing === undefined ? "done" : refusedBy(refusing);
}

export const allNeeds = ({ needs, needsOfAdmins = [] }: Expected): readonly RuleName[] => [
  ...needs,
  ...needsOfAdmins,
];

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z?/g;

/** An answer without ids, times and chance. */
export const printOf = (answer: unknown): string =>
  (typeof answer === "string"
    ? answer
    : JSON.stringify(answer, (key, value: unknown) =>
        key === "nanos" || key === "seconds" ? 0 : plain(value),
      )
  )
    .replace(UUID, "id")
    .replace(TIME, "time")
    .replace(/req-test-\d+/g, "req")
    .replace(/r-[a-z0-9]{8}/g, "r")
    .replace(/"generation":"\d+"/g, "");

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Map ? Object.fromEntries(value) : value;
}
