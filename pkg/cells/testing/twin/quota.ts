import { CellsErrors } from "../../errors.js";
import { extraOf, isReached, refusalOfExtra, settled } from "../../quota/domain/claims.js";
import type { Outcome, QuotaClaim } from "../../quota/domain/claims.js";
import { add } from "../../quota/domain/quota.js";
import type { Counted } from "../../quota/domain/quota.js";
import { countedLimits } from "../../quota/store/quota.js";
import type { TwinState } from "./state.js";

const NOTHING: Counted = { instances: 0, cores: 0, ram: 0 };

/** What a project's servers hold, and what is claimed for them. */
export function used({ holdings, claims }: TwinState, projectId: string): Counted {
  const held = add(
    NOTHING,
    [...holdings.values()].filter((one) => one.projectId === projectId),
  );
  return [...claims.values()]
    .filter(({ claim }) => claim.projectId === projectId)
    .reduce(
      (sum, { extra }) => ({
        instances: sum.instances + extra.instances,
        cores: sum.cores + extra.cores,
        ram: sum.ram + extra.ram,
      }),
      held,
    );
}

const heldBy = ({ holdings }: TwinState, serverId: string): Counted => {
  const holding = holdings.get(serverId);
  return holding === undefined ? NOTHING : { ...holding, instances: 1 };
};

/** Takes what a server is to hold more than it holds. @throws QUOTA_EXCEEDED */
export function takeClaim(twin: TwinState, claim: QuotaClaim): void {
  const extra = extraOf(heldBy(twin, claim.serverId), claim.target);
  const limits = countedLimits(Object.fromEntries(twin.limits));
  const refusal = refusalOfExtra(extra, used(twin, claim.projectId), limits);
  if (refusal !== undefined) throw CellsErrors.QUOTA_EXCEEDED(refusal);
  twin.claims.set(claim.operationId, { claim, extra });
}

/** Settles an operation's claim; without one nothing happens. */
export function settleClaim(twin: TwinState, operationId: string, outcome: Outcome): void {
  const open = twin.claims.get(operationId);
  if (open === undefined) return;
  twin.claims.delete(operationId);
  const { serverId, projectId, target } = open.claim;
  const well = isReached(outcome, target);
  const { held } = settled(heldBy(twin, serverId), open.extra, target, well);
  if (!well) return;
  if (held.instances === 0) twin.holdings.delete(serverId);
  else twin.holdings.set(serverId, { projectId, cores: held.cores, ram: held.ram });
}

/** Releases what servers hold and what was claimed for them. */
export function release({ holdings, claims }: TwinState, serverIds: readonly string[]): void {
  for (const id of serverIds) holdings.delete(id);
  for (const [id, { claim }] of claims) if (serverIds.includes(claim.serverId)) claims.delete(id);
}
