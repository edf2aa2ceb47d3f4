import { sql } from "../../store/sql.js";
import type {
  AcceptedServer,
  AcceptServersRequest,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import { BootInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { ServerSecrets } from "../../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { anyOperation, metadataOf, newestVersion } from "../../../model/operation-declaration.js";
import { operationName } from "../../../model/operation-name.js";
import bootServer from "../../../model/operations/boot-server.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { violates } from "../../../platform/db/index.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns, instanceIdentity } from "../domain/instance-columns.js";
import { add, fitQuota } from "../../quota/domain/quota.js";
import type { Holding } from "../../quota/domain/quota.js";
import { serverOf } from "../domain/records.js";
import { CellsErrors } from "../../errors.js";
import { actionRow } from "../../operations/store/accept-operation.js";
import { replayOf, tokenRow } from "../../operations/store/client-tokens.js";
import type { TokenUse } from "../../operations/store/client-tokens.js";
import { instanceChanged, operationChanged } from "./changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { presentOperation } from "../../../model/operation-view.js";
import { otherOperationFields, toStored } from "../../operations/store/operation-rows.js";
import { outboxPart } from "../../store/outbox.js";
import { countedLimits, lockQuota } from "../../quota/store/quota.js";
import type { DefaultLimits } from "../../quota/store/quota.js";
import { joinable, memberRows } from "../../groups/store/server-groups.js";
import type { OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";

/** What was accepted; `database` is where a replayed server's record is by now. */
export interface AcceptedServers {
  readonly servers: readonly Server[];
  readonly operations: readonly Operation[];
  readonly replayed: readonly string[] | undefined;
}

const METHOD = "CreateServers";

/**
 * Accepts servers: client token, quota, build requests, mappings, operations, actions and outbox, all in one
 * transaction. READ COMMITTED: the project's usage row is locked before anything is decided, and everything
 * else is new rows.
 * @returns with `replayed` set to the operations of an earlier call with the same token, and nothing else
 * @throws QUOTA_EXCEEDED, TOKEN_REUSED, SERVER_GROUP_GONE, SERVER_GROUP_MEMBER_QUOTA
 * @cost four round trips however many servers; two more for the first of a project
 */
export async function acceptServers(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptServersRequest,
  defaults: DefaultLimits,
): Promise<AcceptedServers> {
  const attempt = (): Promise<AcceptedServers> =>
    store.db.write(ctx, "servers.accept", (tx) => accept(store, deps, ctx, tx, request, defaults), {
      isolation: "read-committed",
    });
  try {
    return await attempt();
  } catch (error) {
    // The same token came twice at once: now the other one is stored, and answers.
    if (violates(error, "client_token_once")) return attempt();
    throw error;
  }
}

async function accept(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  request: AcceptServersRequest,
  defaults: DefaultLimits,
): Promise<AcceptedServers> {
  const { actor } = request;
  if (actor === undefined) throw CommonErrors.INVALID_ARGUMENT({ field: "actor", problem: "somebody asks" });
  const first = request.servers[0]?.server;
  const token: TokenUse = {
    projectId: first?.projectId ?? actor.projectId,
    userId: actor.userId,
    method: METHOD,
    token: request.clientToken,
    bodyHash: request.bodyHash,
  };
  const replayed = await replayOf(store, tx, token);
  if (replayed !== undefined || first === undefined) return { servers: [], operations: [], replayed };
  const { limits, used } = await lockQuota(store, tx, first.projectId, first.userId, defaults);
  const holdings = request.servers.map(holdingOf);
  const fits = fitQuota(holdings, request.minCount, used, countedLimits(limits));
  if (typeof fits !== "number") throw CellsErrors.QUOTA_EXCEEDED(fits);
  const groupId = request.servers[0]?.spec?.serverGroupId ?? "";
  if (groupId !== "")
    await joinable(
      store,
      tx,
      { id: groupId, projectId: first.projectId, userId: first.userId },
      fits,
      limits["server_group_members"] ?? -1,
    );
  const now = deps.clock.now();
  const fresh = request.servers
    .slice(0, fits)
    .map((one) => freshServer(deps, ctx, one, actor, request.traceparent, now));
  await allTogether(writes(store, deps, fresh, holdings.slice(0, fits), token, now)).execute(tx);
  return {
    servers: fresh.map(({ record }) => serverOf(record)),
    operations: fresh.map(({ operation }) => presentOperation(toStored(operation))),
    replayed: undefined,
  };
}

/** What a server takes of its project's quota. */
export const holdingOf = ({ spec }: AcceptedServer): Holding => ({
  cores: spec?.flavor?.vcpus ?? 0,
  ram: spec?.flavor?.memoryMib ?? 0,
});

export interface FreshServer {
  readonly record: InstanceRecord;
  readonly operation: OperationRow;
  readonly userData: Buffer | null;
  readonly actor: Actor;
}

/** The record and the operation of an accepted server. */
export function freshServer(
  deps: StoreDeps,
  ctx: Ctx,
  accepted: AcceptedServer,
  actor: Actor,
  traceparent: string,
  now: Instant,
): FreshServer {
  const id = deps.ids.uuid();
  const name = operationName(accepted.serverId, id);
  const server = Server.fromPartial({
    ...accepted.server,
    id: accepted.serverId,
    generation: 1n,
    currentOperation: name,
    createdAt: accepted.server?.createdAt ?? toTimestamp(now),
    updatedAt: toTimestamp(now),
    userData: "",
  });
  const record = { ...InstanceRecord.fromPartial({}), server, spec: accepted.spec };
  const secrets = accepted.secrets === undefined ? Buffer.alloc(0) : encoded(ServerSecrets, accepted.secrets);
  const userData = accepted.secrets?.userData ?? "";
  const input = encoded(BootInput, {
    name: server.name,
    flavorId: accepted.spec?.flavor?.id ?? "",
    imageId: accepted.spec?.image?.id ?? "",
  });
  const operation: OperationRow = {
    id,
    subject: "server",
    server_id: accepted.serverId,
    project_id: server.projectId,
    kind: bootServer.kind,
    kind_version: newestVersion(bootServer),
    action: bootServer.action,
    request_id: ctx.requestId,
    actor: encoded(Actor, actor),
    traceparent,
    input,
    secrets: secrets.length === 0 ? null : deps.box.seal(secrets, id),
    state: "running",
    current_step: "",
    undo_until: "",
    steps: encoded(StoredSteps, { steps: [] }),
    generation: 1,
    fence: 0,
    owner: "",
    ready_at: now,
    deadline: null,
    waiting_for: "",
    cancel_requested: false,
    error: null,
    preempts: "",
    preempted: null,
    handed_over_to: "",
    other_fields: otherOperationFields({
      metadata: metadataOf(anyOperation(bootServer), input),
      result: undefined,
      successor: "",
    }),
    lane: bootServer.lane,
    turn: 0,
    progress: null,
    created_at: now,
    updated_at: now,
  };
  return {
    record,
    operation,
    userData: userData === "" ? null : deps.box.seal(Buffer.from(userData), accepted.serverId),
    actor,
  };
}

function writes(
  store: Store,
  deps: StoreDeps,
  fresh: readonly FreshServer[],
  holdings: readonly Holding[],
  token: TokenUse,
  now: Instant,
): Part[] {
  const { t } = store;
  const columns = fresh.map(({ record }) => instanceColumns(record));
  const servers = fresh.map(({ record }) => serverOf(record));
  const { instances, cores, ram } = add({ instances: 0, cores: 0, ram: 0 }, holdings);
  const outbox = fresh.flatMap(({ record, operation }, index) => {
    const own = columns[index];
    return own === undefined
      ? []
      : [instanceChanged(record, own, "created"), operationChanged(operation, "created")];
  });
  const parts: Part[] = [
    {
      name: "usage",
      body: sql`UPDATE ${t.quota_usage} SET instances = instances + ${instances}, cores = cores + ${cores}, ram = ram + ${ram} WHERE project_id = ${token.projectId}`,
    },
    {
      name: "holding",
      body: insertInto(
        t.quota_holding,
        servers.map((server, index) => ({
          server_id: server.id,
          project_id: server.projectId,
          cores: holdings[index]?.cores ?? 0,
          ram: holdings[index]?.ram ?? 0,
        })),
      ),
    },
    {
      name: "mapping",
      body: insertInto(
        t.instance_mapping,
        servers.map((server) => ({
          server_id: server.id,
          database: store.name,
          project_id: server.projectId,
          user_id: server.userId,
          created_at: now,
        })),
      ),
    },
    {
      name: "inst",
      body: insertInto(
        t.instance,
        fresh.map(({ record, userData }, index) => ({
          ...instanceIdentity(record),
          ...columns[index],
          user_data: userData,
        })),
      ),
    },
    {
      name: "op",
      body: insertInto(
        t.operation,
        fresh.map(({ operation }) => ({ ...operation })),
      ),
    },
    {
      name: "act",
      body: insertInto(
        t.instance_action,
        fresh.map(({ operation, actor }) => actionRow(operation, { actor }, now)),
      ),
    },
    outboxPart(t, deps.ids, outbox, now),
  ];
  const groupId = fresh[0]?.record.spec?.serverGroupId ?? "";
  if (groupId !== "")
    parts.push({
      name: "member",
      body: insertInto(
        t.server_group_member,
        memberRows(
          groupId,
          servers.map(({ id }) => id),
          now,
        ),
      ),
    });
  const names = fresh.map(({ operation }) => operationName(operation.server_id, operation.id));
  if (token.token !== "")
    parts.push({ name: "tok", body: insertInto(t.client_token, [tokenRow(token, names, now)]) });
  return parts;
}
