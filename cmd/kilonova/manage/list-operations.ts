import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import {
  ListStoredOperationsRequest,
  OperationStoreServiceDefinition,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { KilonovaError, mapLimit, parseUuid, within } from "../../../pkg/kernel/index.js";
import { GLOBAL } from "../../../pkg/model/database-names.js";
import type { Channel } from "../../../pkg/platform/rpc/index.js";

/** What `list` is asked for. */
export interface ListOptions {
  /** "" for whichever it is. */
  readonly database: string;
  readonly server?: string;
  readonly host?: string;
  readonly cloud?: boolean;
  /** So many of each database at most. */
  readonly limit: string;
}

/** What was found, and which databases did not answer. */
export interface Listed {
  /** Newest first. */
  readonly operations: readonly StoredOperation[];
  readonly more: boolean;
  readonly silent: readonly { readonly database: string; readonly problem: string }[];
}

const UNFINISHED = [
  OperationState.OPERATION_STATE_RUNNING,
  OperationState.OPERATION_STATE_PARKED,
  OperationState.OPERATION_STATE_UNDOING,
  OperationState.OPERATION_STATE_NEEDS_OPERATOR,
];
const ROWS_AT_ONCE = 500;

/**
 * All operations of a server, of a host or of the cloud; without any of these, those that have not ended, of
 * one database or of all.
 * @param patienceMs  how long each of all databases may take
 * @throws what says that the options are wrong, or that the only database to ask does not answer
 */
export async function listOperations(
  ctx: Ctx,
  channel: Channel,
  options: ListOptions,
  patienceMs = 5_000,
): Promise<Listed> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new Error("--limit must be a whole number above 0.");
  const { server = "", host = "", cloud = false, database } = options;
  if ([server !== "", host !== "", cloud].filter(Boolean).length > 1)
    throw new Error("Only one of --server, --host and --cloud may be given.");
  const read = (query: Partial<ListStoredOperationsRequest>): Promise<Omit<Listed, "silent">> =>
    allPages(ctx, channel, queryOf(query), limit);
  if (server !== "") return { ...(await read({ database, serverId: server })), silent: [] };
  if (cloud) return { ...(await read({ database, cloud })), silent: [] };
  if (host !== "") {
    const hostId = parseUuid(host) ?? (await hostIdOf(ctx, channel, host, database));
    return { ...(await read({ database, hostId })), silent: [] };
  }
  if (database !== "") return { ...(await read({ database, states: UNFINISHED })), silent: [] };
  return unfinishedEverywhere(await databasesOf(ctx, channel), (name) =>
    within(ctx, patienceMs, `Database ${name}`, (inner) =>
      allPages(inner, channel, queryOf({ database: name, states: UNFINISHED }), limit),
    ),
  );
}

const queryOf = (query: Partial<ListStoredOperationsRequest>): ListStoredOperationsRequest =>
  ListStoredOperationsRequest.fromPartial(query);

/** Asks all at once: one that is silent costs no more than its own time. */
async function unfinishedEverywhere(
  databases: readonly string[],
  read: (database: string) => Promise<Omit<Listed, "silent">>,
): Promise<Listed> {
  const answers = await mapLimit(databases, DATABASES_AT_ONCE, async (database) => {
    try {
      return { ...(await read(database)), silent: [] };
    } catch (error) {
      if (!(error instanceof KilonovaError) || !SILENCE.has(error.kind)) throw error;
      return { operations: [], more: false, silent: [{ database, problem: error.message }] };
    }
  });
  return {
    operations: answers.flatMap(({ operations }) => operations).sort(newestFirst),
    more: answers.some(({ more }) => more),
    silent: answers.flatMap(({ silent }) => silent),
  };
}

const SILENCE: ReadonlySet<string> = new Set(["unavailable", "deadline"]);
const DATABASES_AT_ONCE = 16;

const timeOf = ({ createdAt }: StoredOperation): number =>
  createdAt === undefined ? 0 : Number(createdAt.seconds) + createdAt.nanos / 1e9;
const newestFirst = (a: StoredOperation, b: StoredOperation): number => timeOf(b) - timeOf(a);

const cellsOf = async (ctx: Ctx, channel: Channel): Promise<string[]> =>
  (await channel.client(GlobalServiceDefinition).listCells(ctx, {})).cells.map(({ name }) => name);

const databasesOf = async (ctx: Ctx, channel: Channel): Promise<string[]> => [
  GLOBAL,
  ...(await cellsOf(ctx, channel)),
];

/** @throws when no cell has a host of that name */
async function hostIdOf(ctx: Ctx, channel: Channel, host: string, database: string): Promise<string> {
  for (const cell of database === "" ? await cellsOf(ctx, channel) : [database]) {
    const { nodes } = await channel
      .client(HostsServiceDefinition)
      .listHosts(ctx, { cell, host, recordsOnly: true });
    const [node] = nodes;
    if (node !== undefined) return node.id;
  }
  throw new Error(`There is no host ${host}. Of one that was deleted, give its hypervisor's id.`);
}

async function allPages(
  ctx: Ctx,
  channel: Channel,
  query: ListStoredOperationsRequest,
  limit: number,
): Promise<Omit<Listed, "silent">> {
  const store = channel.client(OperationStoreServiceDefinition);
  const operations: StoredOperation[] = [];
  for (let pageToken = ""; ;) {
    const pageSize = Math.min(ROWS_AT_ONCE, limit - operations.length);
    const page = await store.listStoredOperations(ctx, { ...query, pageSize, pageToken });
    operations.push(...page.operations);
    pageToken = page.nextPageToken;
    if (pageToken === "" || operations.length >= limit) return { operations, more: pageToken !== "" };
  }
}
