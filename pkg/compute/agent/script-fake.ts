import type { FakeRule as FakeRuleMessage } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommonErrors } from "../../kernel/index.js";
import type { Driver } from "../driver.js";
import { FAKE_METHODS, FakeDriver } from "../drivers/fake/index.js";
import type { FakeMethod } from "../drivers/fake/index.js";
import { AgentErrors } from "../errors.js";

const isMethod = (text: string): text is FakeMethod => (FAKE_METHODS as readonly string[]).includes(text);

/** Replaces the rules of a fake host. @throws NOT_FAKE on real ones */
export function scriptFakeDriver(driver: Driver, rules: readonly FakeRuleMessage[]): void {
  if (!(driver instanceof FakeDriver)) throw AgentErrors.NOT_FAKE({});
  for (const [i, rule] of rules.entries()) {
    if (!isMethod(rule.method))
      throw CommonErrors.INVALID_ARGUMENT({
        field: `rules[${i}].method`,
        problem: `must be one of ${FAKE_METHODS.join(", ")}`,
      });
  }
  driver.rules.clear();
  for (const rule of rules) {
    if (!isMethod(rule.method)) continue;
    driver.rules.add({
      method: rule.method,
      ...(rule.namePattern ? { nameMatches: rule.namePattern } : {}),
      ...(rule.times ? { times: rule.times } : {}),
      ...(rule.delayMs ? { delayMs: rule.delayMs } : {}),
      ...(rule.failReason
        ? { fail: { reason: rule.failReason, message: rule.failMessage || rule.failReason } }
        : {}),
    });
  }
}
