import type { RuleName } from "../../policy/index.js";

/**
 * Kinds of operations and the rule that beginning one needs, which is also what ending it needs. The methods
 * that begin them declare the same rule; a kind that is missing here can be cancelled by nobody.
 */
const rules = {
  "server.boot": "os_compute_api:servers:create",
  "server.delete": "os_compute_api:servers:delete",
  "server.start": "os_compute_api:servers:start",
  "server.stop": "os_compute_api:servers:stop",
  "server.reboot": "os_compute_api:servers:reboot",
} as const satisfies Readonly<Record<string, RuleName>>;

/** A kind of operation that users begin. */
export type OperationKind = keyof typeof rules;

/** @throws for a kind that nobody declared */
export function ruleOfKind(kind: string): RuleName {
  const known: Readonly<Record<string, RuleName>> = rules;
  const rule = known[kind];
  if (rule === undefined) throw new Error(`no policy rule is known for operations of kind ${kind}`);
  return rule;
}
