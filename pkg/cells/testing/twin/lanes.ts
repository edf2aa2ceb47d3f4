import { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { KilonovaError } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import { operationName } from "../../../model/operation-name.js";
import { CellsErrors } from "../../errors.js";
import { checkAcceptable } from "../../operations/domain/acceptance.js";
import { endedWaiting } from "../../operations/store/lanes.js";
import { serverOf } from "../../servers/domain/records.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import type { OperationRow } from "../../store/rows.js";
import type { TwinDatabase } from "./database.js";

/** @throws CAPABILITY_MISSING */
export function requireCapability(
  { nodes }: TwinDatabase,
  { capability }: OperationDeclaration,
  { id, hostInfo }: Server,
): void {
  if (capability === undefined) return;
  const host = hostInfo?.host ?? "";
  const able = [...nodes.values()].some(
    (node) => node.host === host && ComputeNode.decode(node.body).capabilities.includes(capability),
  );
  if (!able) throw CellsErrors.CAPABILITY_MISSING({ server: id, capability });
}

/** Stores how operations ended otherwise than by a commit of their own. */
export function end(
  { operations, timeline }: TwinDatabase,
  ended: readonly OperationRow[],
  now: Instant,
): void {
  for (const row of ended) {
    operations.set(row.id, row);
    timeline.cut(row, now);
  }
}

/**
 * Gives a lane's turn to the first that waits and still fits; those before it end as FAILED.
 * @returns the name of the operation whose turn it is
 */
export function nextInLane(
  database: TwinDatabase,
  deps: StoreDeps,
  lane: string,
  record: InstanceRecord,
  now: Instant,
): string | undefined {
  const live = database.liveBeside(serverOf(record).id).filter((row) => row.lane === lane);
  if (live.some(({ turn }) => turn === 0)) return undefined;
  for (const row of live) {
    const refusal = refusalOf(database, deps, row, record);
    if (refusal === undefined) {
      const next = { ...row, turn: 0, ready_at: now, generation: row.generation + 1, updated_at: now };
      database.operations.set(next.id, next);
      database.tell([operationChanged(next)]);
      return operationName(next.server_id, next.id);
    }
    const ended = endedWaiting(row, "failed", refusal, now);
    end(database, [ended], now);
    database.tell([operationChanged(ended)]);
  }
  return undefined;
}

function refusalOf(
  database: TwinDatabase,
  { operations }: StoreDeps,
  { kind, input }: OperationRow,
  record: InstanceRecord,
): KilonovaError | undefined {
  const declaration = operations.find(kind);
  if (declaration === undefined) return undefined;
  const server = serverOf(record);
  try {
    checkAcceptable(server, {
      form: formOf(declaration, input),
      action: declaration.action,
      bypassLock: true,
    });
    requireCapability(database, declaration, server);
    return undefined;
  } catch (error) {
    if (error instanceof KilonovaError && (error.kind === "refused" || error.kind === "unsupported"))
      return error;
    throw error;
  }
}
