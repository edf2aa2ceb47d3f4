import { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { KilonovaError } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import { CellsErrors } from "../../errors.js";
import { checkAcceptable } from "../../operations/domain/acceptance.js";
import { requireAble } from "../../operations/store/capability.js";
import { begun, endedWaiting, isGivenUp } from "../../operations/domain/ended-early.js";
import { cutShort, endedMigrations } from "../../operations/domain/cut-short.js";
import { LIFE, isBehind } from "../../operations/domain/lanes.js";
import { nameOf, toStored } from "../../operations/domain/operation-rows.js";
import { outcomeOf } from "../../quota/domain/claims.js";
import { serverOf } from "../../servers/domain/records.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import type { OperationRow } from "../../store/rows.js";
import type { TwinDatabase } from "./database.js";
import { settleClaim } from "./quota.js";
import type { TwinState } from "./state.js";

/** @throws CAPABILITY_MISSING */
export function requireCapability(
  { nodes }: TwinDatabase,
  { capability }: OperationDeclaration,
  { id, hostInfo }: Server,
): void {
  const host = hostInfo?.host ?? "";
  if (capability === undefined || host === "") return;
  const able = [...nodes.values()].some(
    (node) => node.host === host && ComputeNode.decode(node.body).capabilities.includes(capability),
  );
  if (!able) throw CellsErrors.CAPABILITY_MISSING({ server: id, capability });
}

/** @throws HOST_NOT_FOUND, HOST_CANNOT */
export function requireHost(database: TwinDatabase, capability: string | undefined, hostId: string): void {
  const row = database.node(hostId);
  requireAble(row && ComputeNode.decode(row.body), capability, hostId);
}

/**
 * Stores how operations ended otherwise than by a commit of their own, with their migrations, and settles
 * what they claimed.
 * @param leader  whom the server's record names as its operation, before it changes
 */
export function end(
  twin: TwinState,
  { operations, timeline, migrations }: TwinDatabase,
  ended: readonly OperationRow[],
  leader: string,
  now: Instant,
): void {
  const cut = ended.map((row) => cutShort({ ...row, name: nameOf(row) }, leader));
  const known = [...migrations.values()].filter(({ serverId }) =>
    ended.some(({ server_id }) => server_id === serverId),
  );
  for (const record of endedMigrations(known, cut, now)) migrations.set(record.id, record);
  for (const row of ended) {
    operations.set(row.id, row);
    timeline.cut(row, now);
    const { state, held } = toStored(row);
    settleClaim(twin, row.id, outcomeOf(state, held) ?? false);
  }
}

/**
 * Gives the turns that an ended operation has held to others: the one of its lane, or, when it was in the
 * lane "life", those of all that waited until it had ended.
 * @returns names of the operations whose turn it is
 */
export function passTurns(
  twin: TwinState,
  database: TwinDatabase,
  row: Pick<OperationRow, "server_id" | "lane">,
  record: InstanceRecord | undefined,
  now: Instant,
): readonly string[] {
  const { server_id } = row;
  const lanes = row.lane === LIFE ? openLanes(database, server_id) : [row.lane];
  return lanes.flatMap((lane) => nextInLane(twin, database, { server_id, lane }, record, now) ?? []);
}

/** Has those that waited until lanes are open wait as all others do. @returns their lanes */
function openLanes(database: TwinDatabase, serverId: string): readonly string[] {
  const behind = database.liveBeside(serverId).filter(isBehind);
  for (const row of behind) database.operations.set(row.id, { ...row, waiting_for: "" });
  return [...new Set(behind.map(({ lane }) => lane))].sort();
}

/**
 * Gives a lane's turn to the first that waits and still fits; those before it end as FAILED. Who waits until
 * lanes are open is passed over.
 * @returns the name of the operation whose turn it is
 */
function nextInLane(
  twin: TwinState,
  database: TwinDatabase,
  before: Pick<OperationRow, "server_id" | "lane">,
  record: InstanceRecord | undefined,
  now: Instant,
): string | undefined {
  const live = database
    .liveBeside(before.server_id)
    .filter((row) => row.lane === before.lane && !isBehind(row));
  if (live.some(({ turn }) => turn === 0)) return undefined;
  for (const row of live) {
    const refusal = refusalOf(database, twin.deps, row, record);
    if (refusal === undefined) {
      const next = begun(row, now);
      database.operations.set(next.id, next);
      database.tell([operationChanged(next)]);
      return nameOf(next);
    }
    const ended = endedWaiting(row, "failed", refusal, now);
    end(twin, database, [ended], "", now);
    database.tell([operationChanged(ended)]);
  }
  return undefined;
}

function refusalOf(
  database: TwinDatabase,
  { operations }: StoreDeps,
  { kind, input, subject, server_id }: OperationRow,
  record: InstanceRecord | undefined,
): KilonovaError | undefined {
  const declaration = operations.find(kind);
  if (declaration === undefined) return undefined;
  const { action, capability } = declaration;
  try {
    if (subject === "host") requireHost(database, capability, server_id);
    if (record !== undefined) {
      const server = serverOf(record);
      checkAcceptable(server, { form: formOf(declaration, input), action, bypassLock: true });
      requireCapability(database, declaration, server);
    }
    return undefined;
  } catch (error) {
    if (isGivenUp(error)) return error;
    throw error;
  }
}
