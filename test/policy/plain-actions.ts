import { plainActions } from "../../pkg/model/testing/plain-actions.js";
import type { PlainAction } from "../../pkg/model/testing/plain-actions.js";
import { ruleDefaults } from "../../pkg/policy/rule-defaults.js";

/** What guards an action according to Nova's table of rules, which no declaration has a part in. */
const guarding = (key: string): string[] =>
  Object.entries(ruleDefaults)
    .filter(([, { guards }]) => guards.includes(`POST /servers/{server_id}/action (${key})`))
    .map(([rule]) => rule.replace(/^os_compute_api:/, ""));

/** A plain action that one rule guards. Those of several rules have rows of their own. */
export interface GuardedAction extends PlainAction {
  readonly needs: string;
}

export const guardedActions: readonly GuardedAction[] = plainActions.flatMap((action) => {
  const [needs, ...others] = guarding(action.key);
  if (needs === undefined) throw new Error(`no rule of Nova's guards the action ${action.key}`);
  return others.length === 0 ? [{ ...action, needs }] : [];
});
