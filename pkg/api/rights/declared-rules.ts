import { OperationRules } from "../../../gen/kilonova/type/v1/options.js";
import { catalogue } from "../../model/operation-catalogue.js";
import { subjectOf } from "../../model/operation-declaration.js";
import type { ServiceDefinition } from "../../platform/rpc/index.js";
import { operationRules, policyRules } from "../../platform/rpc/index.js";
import type { RuleName } from "../../policy/index.js";
import { ruleDefaults } from "../../policy/index.js";

type Method = ServiceDefinition["methods"][string];

/** What the calls of one method may ask of policy. */
export interface DeclaredRules {
  /** Decides about the call unless its form says another one. Undefined: every call says which decides. */
  readonly deciding: RuleName | undefined;
  /** All of them, never none. */
  readonly asked: ReadonlySet<RuleName>;
}

/**
 * Every rule that a method asks: those that its proto names, in its order, and those of the operations that
 * it is about, as their kinds declare them.
 */
export const rulesOf = (method: Method): readonly string[] => [
  ...new Set([...policyRules(method), ...rulesOfOperations(operationRules(method))]),
];

function rulesOfOperations(rules: OperationRules): readonly RuleName[] {
  if (rules === OperationRules.OPERATION_RULES_UNSPECIFIED) return [];
  const isAll = rules === OperationRules.OPERATION_RULES_ALL;
  return catalogue.all.filter((one) => isAll || subjectOf(one) !== "server").map(({ rule }) => rule);
}

/**
 * What a method declares. Only a rule that its proto names decides by itself: of those of operations, each
 * call asks the one of its operation.
 * @throws when it declares no rule, or one that does not exist: it cannot be served
 */
export function declaredRules(name: string, method: Method): DeclaredRules {
  const rules = rulesOf(method);
  const known = rules.filter((rule): rule is RuleName => Object.hasOwn(ruleDefaults, rule));
  if (known.length === 0 || known.length < rules.length)
    throw new Error(`${name} declares no policy rule, or one that does not exist`);
  const [first] = policyRules(method);
  return { deciding: known.find((rule) => rule === first), asked: new Set(known) };
}
