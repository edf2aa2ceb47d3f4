import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { AggregateStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/aggregates_service.js";
import { ConsoleTokenServiceDefinition } from "../../../gen/kilonova/cells/v1/console_tokens_service.js";
import { FeedServiceDefinition } from "../../../gen/kilonova/cells/v1/feed_service.js";
import type { FeedEntry } from "../../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { AcceptServersResponse } from "../../../gen/kilonova/cells/v1/global_service.js";
import {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
} from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { RegisterHostResponse } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { InstanceRow } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { ServerRecordsServiceDefinition } from "../../../gen/kilonova/cells/v1/server_records_service.js";
import { ServerGroupStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/server_groups_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { aServer } from "../../../pkg/cells/testing/records.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { anonymous } from "../../../pkg/kernel/index.js";
import type { Client } from "../../../pkg/platform/rpc/index.js";
import { testCtx } from "../../../pkg/testkit/ctx.js";
import { until } from "../../../pkg/testkit/until.js";
import type { CellsWorld } from "./world.js";
import { KINDS } from "./world.js";

/** What the service must do, told as a story that has its own project, servers and hosts. */
export interface Scenario {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** Fields of a server that matter to a scenario. */
export type ServerInit = Parameters<typeof Server.fromPartial>[0];
type Accept = Omit<Parameters<Client<InstancesServiceDefinition>["acceptOperation"]>[1], "kind">;
type AcceptOn = Omit<
  Parameters<Client<OperationStoreServiceDefinition>["acceptSubjectOperation"]>[1],
  "kind" | "hostId"
>;
type List = Omit<Parameters<Client<InstancesServiceDefinition>["listInstances"]>[1], "database">;
type Commit = Omit<Parameters<Client<OperationStoreServiceDefinition>["commitStep"]>[1], "name" | "fence">;

/** One scenario's place in a world. */
export class Stage {
  readonly world: CellsWorld;
  readonly project = randomUUID();
  readonly user = randomUUID();
  readonly #prefix = randomUUID().slice(0, 8);

  constructor(world: CellsWorld) {
    this.world = world;
  }

  /** A UUID of this scenario; they sort as their numbers do. */
  id(n: number): string {
    return `${this.#prefix}-0000-4000-8000-${n.toString().padStart(12, "0")}`;
  }

  /** The numbers of such UUIDs. */
  numbers(ids: readonly string[]): number[] {
    return ids.map((id) => Number(id.slice(-12)));
  }

  /** A name that no other scenario has. */
  name(text: string): string {
    return `${text}-${this.#prefix}`;
  }

  get actor() {
    return { userId: this.user, projectId: this.project, roles: ["member"] };
  }

  get ctx(): Ctx {
    return testCtx({ actor: { ...anonymous, kind: "user", ...this.actor } });
  }

  get global(): Client<GlobalServiceDefinition> {
    return this.world.as("api").client(GlobalServiceDefinition);
  }
  get servers(): Client<InstancesServiceDefinition> {
    return this.world.as("api").client(InstancesServiceDefinition);
  }
  get hosts(): Client<HostsServiceDefinition> {
    return this.world.as("api").client(HostsServiceDefinition);
  }
  get groups(): Client<ServerGroupStoreServiceDefinition> {
    return this.world.as("api").client(ServerGroupStoreServiceDefinition);
  }
  get aggregates(): Client<AggregateStoreServiceDefinition> {
    return this.world.as("api").client(AggregateStoreServiceDefinition);
  }
  get consoleTokens(): Client<ConsoleTokenServiceDefinition> {
    return this.world.as("api").client(ConsoleTokenServiceDefinition);
  }
  get feed(): Client<FeedServiceDefinition> {
    return this.world.as("api").client(FeedServiceDefinition);
  }
  get operations(): Client<OperationStoreServiceDefinition> {
    return this.world.as("conductor").client(OperationStoreServiceDefinition);
  }
  get records(): Client<ServerRecordsServiceDefinition> {
    return this.world.as("api").client(ServerRecordsServiceDefinition);
  }
  agent(host: string): Client<HostsServiceDefinition> {
    return this.world.as("compute", host).client(HostsServiceDefinition);
  }

  /** Puts a server of the scenario into cell1: number `n`, ACTIVE unless told. */
  async put(n: number, init: ServerInit = {}, ports?: readonly InstancePort[]): Promise<string> {
    const id = this.id(n);
    const plain = aServer({ id, projectId: this.project, userId: this.user });
    await this.world.put("cell1", Server.fromPartial({ ...plain, ...init }), ports);
    return id;
  }

  /** The record in cell1 as it is now. */
  async server(id: string): Promise<Server> {
    const asked = { database: "cell1", serverId: id, withDeleted: true };
    return (await this.servers.getInstance(this.ctx, asked)).instance?.server ?? assert.fail("no record");
  }

  /** Accepts servers of one virtual CPU each. */
  accept(
    ids: readonly string[],
    wish: {
      readonly token?: string;
      readonly body?: string;
      readonly minCount?: number;
      readonly group?: string;
      readonly memoryMib?: number;
    } = {},
  ): Promise<AcceptServersResponse> {
    const flavor = { id: "1", vcpus: 1, memoryMib: wish.memoryMib ?? 64 };
    const { project: projectId, user: userId } = this;
    return this.global.acceptServers(this.ctx, {
      clientToken: wish.token ?? "",
      bodyHash: Buffer.from(wish.body ?? "body"),
      actor: this.actor,
      minCount: wish.minCount ?? ids.length,
      servers: ids.map((serverId) => ({
        serverId,
        spec: { flavor, serverGroupId: wish.group ?? "" },
        server: { projectId, userId, name: "vm", flavor },
        secrets: { userData: "hello" },
      })),
    });
  }

  /** Begins an operation on a server of cell1. @returns its name */
  async begin(serverId: string, kind: string, wish: Accept = {}): Promise<string> {
    const { operation } = await this.servers.acceptOperation(this.ctx, {
      database: "cell1",
      serverId,
      kind,
      kindVersion: 1,
      method: "Test",
      actor: this.actor,
      ...wish,
    });
    return operation?.name ?? assert.fail("no operation");
  }

  /** Begins an operation on a host, or with "" on the cloud. @returns its name */
  async beginOn(hostId: string, kind: string, wish: AcceptOn = {}): Promise<string> {
    const { operation } = await this.operations.acceptSubjectOperation(this.ctx, {
      hostId,
      kind,
      kindVersion: 1,
      method: "Test",
      actor: this.actor,
      ...wish,
    });
    return operation?.name ?? assert.fail("no operation");
  }

  /** Takes operations by their names. */
  async take(names: readonly string[], owner = "a", database = "cell1"): Promise<StoredOperation[]> {
    const { operations } = await this.operations.acquireOperations(this.ctx, {
      database,
      owner,
      kinds: KINDS.all.flatMap(({ kind, versions }) => versions.map((version) => ({ kind, version }))),
      limit: 50,
      names: [...names],
      ownership: { seconds: 60n },
    });
    return operations;
  }

  /** Takes one that must be free. */
  async taken(name: string, owner = "a"): Promise<StoredOperation> {
    return (await this.take([name], owner))[0] ?? assert.fail(`${name} is not to be had`);
  }

  commit({ name, fence }: Pick<StoredOperation, "name" | "fence">, wish: Commit = {}) {
    const state = OperationState.OPERATION_STATE_RUNNING;
    return this.operations.commitStep(this.ctx, { database: "cell1", name, fence, state, ...wish });
  }

  /** An operation as it is stored. */
  async stored(name: string, database = "cell1"): Promise<StoredOperation> {
    const { operation } = await this.operations.getStoredOperation(this.ctx, { database, name });
    return operation ?? assert.fail("no operation");
  }

  /** One page of the scenario's servers in cell1. */
  async page(query: List): Promise<{ rows: InstanceRow[]; more: boolean }> {
    const all = { database: "cell1", projectId: this.project, pageSize: 100, ...query };
    return this.servers.listInstances(this.ctx, all);
  }

  /** Numbers of the servers that a list finds, in its order. */
  async listed(query: List): Promise<number[]> {
    return this.numbers((await this.page(query)).rows.map(({ serverId }) => serverId));
  }

  /** As `listed`, two at a time. */
  async walked(query: List): Promise<number[]> {
    const found: string[] = [];
    for (let after: string[] = []; ;) {
      const { rows, more } = await this.page({ ...query, pageSize: 2, after });
      assert.ok(rows.length <= 2);
      found.push(...rows.map(({ serverId }) => serverId));
      if (!more) return this.numbers(found);
      after = rows.at(-1)?.sortValues ?? assert.fail("more after an empty page");
    }
  }

  /** An agent registers its host. */
  register(
    host: string,
    { epoch = 0n, address = "a:1", capabilities = [] as string[] } = {},
  ): Promise<RegisterHostResponse> {
    return this.agent(host).registerHost(this.ctx, {
      cell: "cell1",
      epoch,
      service: HostService.fromPartial({
        binary: "nova-compute",
        host,
        availabilityZone: "nova",
        address,
      }),
      node: ComputeNode.fromPartial({
        hypervisorHostname: host,
        vcpus: 8,
        memoryMib: 1024n,
        diskGib: 10n,
        reservedMemoryMib: 100,
        capabilities,
      }),
      telemetry: { uptime: "up 1 day", diskFreeGib: 7n },
    });
  }

  /** The end of a feed once all that is stored by now has its number. */
  async mark(database = "cell1"): Promise<bigint> {
    return until(async () => {
      const { revision, expectedRevision } = await this.feed.getFeedHead(this.ctx, { database });
      return revision === expectedRevision ? revision : undefined;
    });
  }

  /** What a feed tells after a mark, of one entity when asked. */
  async told(
    after: bigint,
    { database = "cell1", entity = "", project = "", kinds = [] as string[] } = {},
  ): Promise<FeedEntry[]> {
    const end = await this.mark(database);
    const found: FeedEntry[] = [];
    for (let at = after; at < end;) {
      // Whoever numbers a feed reads it from memory, which follows the database.
      const { entries, revision } = await until(
        async () => {
          const page = await this.feed.readFeed(this.ctx, {
            database,
            afterRevision: at,
            projectId: project,
            entityKinds: kinds,
          });
          return page.revision > at ? page : undefined;
        },
        { what: "the feed to go on" },
      );
      found.push(...entries);
      at = revision;
    }
    return entity === "" ? found : found.filter(({ entityId }) => entityId === entity);
  }
}

/** The reason of a refusal. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as { readonly reason?: string }).reason ?? String(error);
  }
  return assert.fail("nothing was refused");
}
