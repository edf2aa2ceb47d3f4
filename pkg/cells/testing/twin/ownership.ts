import { CellsErrors } from "../../errors.js";
import { LIFE } from "../../operations/domain/lanes.js";
import { nameOf } from "../../operations/domain/operation-rows.js";
import { operationIdOf } from "../../operations/store/owned-operation.js";
import type { Leaving } from "../../operations/store/settle.js";
import { PAUSE_MS } from "../../operations/store/settle.js";
import type { StoreDeps } from "../../store/deps.js";
import type { TwinDatabase } from "./database.js";

/** Renews one ownership. @throws FENCE_LOST */
export function confirm(
  { operations }: TwinDatabase,
  { clock }: StoreDeps,
  name: string,
  fence: bigint,
  ownershipMs: number,
): void {
  const row = operations.get(operationIdOf(name));
  if (row === undefined || BigInt(row.fence) !== fence || row.owner === "")
    throw CellsErrors.FENCE_LOST({ operation: name });
  operations.set(row.id, { ...row, ready_at: clock.now() + BigInt(ownershipMs) * 1000n });
}

/** Gives an operation back, unless somebody else has it by now. */
export function leave(database: TwinDatabase, { clock }: StoreDeps, name: string, fence: bigint): Leaving {
  const row = database.operations.get(operationIdOf(name));
  if (row === undefined) return { heir: "", takenBack: false };
  const takenBack = row.owner === "" && ["preempted", "failed", "cancelled"].includes(row.state);
  if (BigInt(row.fence) !== fence || row.owner === "") return { heir: "", takenBack };
  const rests = row.state === "preempted";
  database.operations.set(row.id, {
    ...row,
    owner: "",
    ready_at: rests ? null : clock.now() + PAUSE_MS * 1000n,
  });
  if (!rests) return { heir: "", takenBack };
  const next = database
    .liveBeside(row.server_id)
    .find(({ lane, turn }) => row.lane !== LIFE && lane === row.lane && turn === 0);
  const owner = database.instances.get(row.server_id)?.current_operation ?? "";
  return { heir: next === undefined ? owner : nameOf(next), takenBack };
}

/** Whether nobody works on a pre-empted operation any more. */
export function settle({ operations }: TwinDatabase, { clock }: StoreDeps, name: string): boolean {
  const row = operations.get(operationIdOf(name));
  if (row === undefined || row.owner === "") return true;
  if (row.state !== "preempted" || row.ready_at === null || row.ready_at > clock.now()) return false;
  operations.set(row.id, { ...row, owner: "", ready_at: null });
  return true;
}
