import { sql } from "../../store/sql.js";
import type {
  AcceptedServer,
  AcceptServersRequest,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import { BootInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { ServerSecrets } from "../../../../gen/kilonova/type/v1/server_spec.js";
import type { ServerSpec } from "../../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { merged } from "../../../kernel/merged.js";
import type { Instant } from "../../../kernel/time.js";
import { anyOperation } from "../../../model/operation-declaration.js";
import { operationName } from "../../../model/operation-name.js";
import { isVolume } from "../../../model/boot-devices.js";
import bootServer, { BOOT_WITH_VOLUMES } from "../../../model/operations/boot-server.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { violates } from "../../../platform/db/index.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns, instanceIdentity } from "../domain/instance-columns.js";
import { add, fitQuota } from "../../quota/domain/quota.js";
import type { Holding } from "../../quota/domain/quota.js";
import { serverOf } from "../domain/records.js";
import { CellsErrors } from "../../errors.js";
import { AT_ONCE } from "../../operations/domain/lanes.js";
import { newOperation } from "../../operations/domain/new-operation.js";
import { nameOf, toStored } from "../../operations/domain/operation-rows.js";
import { actionRow } from "../../operations/domain/timeline-rows.js";
import type { TokenUse } from "../../operations/domain/token-use.js";
import { replayOf, tokenParts } from "../../operations/store/client-tokens.js";
import { sealedSecrets } from "../../operations/store/secrets.js";
import { instanceChanged, operationChanged } from "./changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, inserting } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { presentOperation } from "../../../model/operation-view.js";
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
  const { kind } = bootServer;
  const operation = newOperation(
    {
      id,
      subject: { kind: "server", id: accepted.serverId },
      projectId: server.projectId,
      declaration: anyOperation(bootServer),
      request: { kind, kindVersion: bootVersion(accepted.spec), actor, traceparent, input },
      requestId: ctx.requestId,
      secrets: sealedSecrets(deps, secrets, id),
      place: AT_ONCE,
    },
    now,
  );
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
  const { projectId } = token;
  const groupId = fresh[0]?.record.spec?.serverGroupId ?? "";
  const ids = servers.map(({ id }) => id);
  return [
    {
      name: "usage",
      body: sql`UPDATE ${t.quota_usage} SET instances = instances + ${instances}, cores = cores + ${cores}, ram = ram + ${ram} WHERE project_id = ${projectId}`,
    },
    inserting(
      "holding",
      t.quota_holding,
      servers.map((server, index) => ({
        server_id: server.id,
        project_id: server.projectId,
        cores: holdings[index]?.cores ?? 0,
        ram: holdings[index]?.ram ?? 0,
      })),
    ),
    inserting(
      "mapping",
      t.instance_mapping,
      servers.map((server) => ({
        server_id: server.id,
        database: store.name,
        project_id: server.projectId,
        user_id: server.userId,
        created_at: now,
      })),
    ),
    inserting(
      "inst",
      t.instance,
      fresh.map(({ record, userData }, index) =>
        merged(merged(instanceIdentity(record), columns[index] ?? {}), { user_data: userData }),
      ),
    ),
    inserting(
      "op",
      t.operation,
      fresh.map(({ operation }) => ({ ...operation })),
    ),
    inserting(
      "act",
      t.instance_action,
      fresh.map(({ operation, actor }) => ({ ...actionRow(operation, actor, now) })),
    ),
    outboxPart(t, deps.ids, outbox, now),
    ...(groupId === "" ? [] : [inserting("member", t.server_group_member, memberRows(groupId, ids, now))]),
    ...tokenParts(
      store,
      token,
      fresh.map(({ operation }) => nameOf(operation)),
      now,
    ),
  ];
}

/** Processes of an older build know nothing of volumes: they leave such servers to others. */
const bootVersion = (spec: ServerSpec | undefined): number =>
  spec?.blockDevices.some(isVolume) === true ? BOOT_WITH_VOLUMES : 1;
