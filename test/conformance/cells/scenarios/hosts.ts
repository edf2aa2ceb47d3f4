import assert from "node:assert/strict";
import { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstancePort } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { InstanceChange, InstancePort as Port } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { PowerState, ServerHostInfo, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const list = (s: Stage, query: Omit<Parameters<Stage["hosts"]["listHosts"]>[1], "cell">) =>
  s.hosts.listHosts(s.ctx, { cell: "cell1", ...query });
const on = (host: string) => ({ hostInfo: ServerHostInfo.fromPartial({ host }) });
const change = (s: Stage, serviceId: string, wish: object) =>
  s.hosts.updateHostService(s.ctx, { cell: "cell1", serviceId, ...wish });

const aggregate = (s: Stage, n: number, name: string, token = "", metadata = new Map<string, string>()) =>
  s.aggregates.createStoredAggregate(s.ctx, {
    aggregate: Aggregate.fromPartial({
      id: s.id(n),
      name,
      metadata,
      hosts: ["ignored"],
      availabilityZone: metadata.get("availability_zone"),
    }),
    once: { clientToken: token, bodyHash: Buffer.from("b"), method: "CreateAggregate" },
  });
const alter = (s: Stage, n: number, wish: object) =>
  s.aggregates.updateStoredAggregate(s.ctx, { aggregateId: s.id(n), ...wish });

export const hostScenarios: readonly Scenario[] = [
  {
    name: "a host that registers the same again moves nothing; a new process gets the next epoch",
    run: async (s) => {
      const host = s.name("h");
      const mark = await s.mark();
      const first = await s.register(host);
      const same = await s.register(host, { epoch: first.epoch });
      assert.deepEqual(
        [same.serviceId, same.computeNodeId, same.epoch, same.serviceGeneration],
        [first.serviceId, first.computeNodeId, first.epoch, first.serviceGeneration],
      );
      const moved = await s.register(host, { epoch: first.epoch, address: "b:2" });
      assert.equal(moved.serviceGeneration, first.serviceGeneration + 1n);
      const fresh = await s.register(host);
      assert.equal(fresh.epoch, first.epoch + 1n);
      assert.equal(await refusal(s.register(host, { epoch: first.epoch })), "STALE_EPOCH");
      const told = await s.told(mark, { kinds: ["service", "compute_node"] });
      assert.deepEqual(
        told
          .filter(({ entityId }) => [first.serviceId, first.computeNodeId].includes(entityId))
          .map(({ entityKind, eventType, generation }) => `${entityKind} ${eventType} ${generation}`)
          .sort(),
        ["compute_node created 1", "service changed 2", "service changed 3", "service created 1"],
      );
    },
  },
  {
    name: "a host shows what its servers use, what it told last, and whether its lease holds",
    run: async (s) => {
      const host = s.name("h");
      await s.register(host);
      await s.put(1, { ...on(host), taskState: "pausing" });
      await s.put(2, on(host));
      await s.put(3, { ...on(host), deletedAt: { seconds: 1n, nanos: 0 } });
      const { services, nodes } = await list(s, { host });
      const [node] = nodes;
      assert.deepEqual(
        [
          node?.vcpusUsed,
          node?.memoryMibUsed,
          node?.diskGibUsed,
          node?.runningServers,
          node?.currentWorkload,
        ],
        [2, 1124n, 2n, 2, 1],
      );
      assert.deepEqual([node?.uptime, node?.diskAvailableLeastGib], ["up 1 day", 7n]);
      assert.deepEqual(
        services.map(({ up }) => up),
        [false],
      );
      s.world.alive.add(host);
      assert.deepEqual(
        (await list(s, { host })).services.map(({ up }) => up),
        [true],
      );
    },
  },
  {
    name: "lists of hosts go by number, host, binary and node, and leave out what is not asked",
    run: async (s) => {
      const [a, b] = [s.name("z"), s.name("a")];
      const first = await s.register(a);
      const second = await s.register(b);
      const { nodes } = await list(s, { recordsOnly: true });
      const own = nodes.filter(({ host }) => host === a || host === b);
      assert.deepEqual(
        own.map(({ host }) => host),
        [a, b],
      );
      assert.deepEqual([own[0]?.memoryMibUsed, own[0]?.uptime], [0n, ""]);
      const one = await list(s, { computeNodeId: second.computeNodeId });
      assert.deepEqual(
        one.nodes.map(({ host }) => host),
        [b],
      );
      const byNumber = await list(s, { computeNodeId: String(own[0]?.number) });
      assert.deepEqual(
        byNumber.nodes.map(({ id }) => id),
        [first.computeNodeId],
      );
      assert.deepEqual((await list(s, { host: a, servicesOnly: true })).nodes, []);
      assert.deepEqual((await list(s, { host: a, binary: "nova-scheduler" })).services, []);
    },
  },
  {
    name: "telemetry of the registered process counts, and moves no generation",
    run: async (s) => {
      const host = s.name("h");
      const { epoch, serviceGeneration } = await s.register(host);
      const report = (of: bigint) =>
        s.agent(host).reportHost(s.ctx, {
          cell: "cell1",
          host,
          epoch: of,
          telemetry: { uptime: "up 2 days", diskFreeGib: 3n },
        });
      assert.equal((await report(epoch + 1n)).serviceGeneration, 0n);
      assert.equal((await list(s, { host })).nodes[0]?.uptime, "up 1 day");
      assert.equal((await report(epoch)).serviceGeneration, serviceGeneration);
      const { nodes } = await list(s, { host });
      assert.deepEqual([nodes[0]?.uptime, nodes[0]?.diskAvailableLeastGib], ["up 2 days", 3n]);
    },
  },
  {
    name: "an operator disables with a reason, which goes with enabling, and forces down",
    run: async (s) => {
      const host = s.name("h");
      const { serviceId } = await s.register(host);
      s.world.alive.add(host);
      const off = await change(s, serviceId, { disabled: true, disabledReason: "broken" });
      assert.deepEqual([off.service?.disabled, off.service?.disabledReason], [true, "broken"]);
      const down = await change(s, serviceId, { forcedDown: true });
      assert.deepEqual([down.service?.up, down.service?.disabledReason], [false, "broken"]);
      const back = await change(s, serviceId, { disabled: false, forcedDown: false });
      assert.deepEqual([back.service?.up, back.service?.disabledReason], [true, ""]);
      assert.equal(await refusal(change(s, s.id(9), { disabled: true })), "SERVICE_NOT_FOUND");
    },
  },
  {
    name: "a service is deleted with its node, but not while it has servers",
    run: async (s) => {
      const host = s.name("h");
      const { serviceId } = await s.register(host);
      const id = await s.put(1, on(host));
      const remove = () => s.hosts.deleteHostService(s.ctx, { cell: "cell1", serviceId });
      assert.equal(await refusal(remove()), "SERVICE_HAS_INSTANCES");
      const operation = await s.taken(await s.begin(id, "server.delete"));
      await s.commit(operation, {
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        change: { deleteRecord: true },
      });
      const mark = await s.mark();
      await remove();
      assert.equal(await refusal(remove()), "SERVICE_NOT_FOUND");
      const { services, nodes } = await list(s, { host });
      assert.deepEqual([services, nodes], [[], []]);
      const told = await s.told(mark, { kinds: ["service", "compute_node"] });
      assert.deepEqual(told.map(({ entityKind, eventType }) => `${entityKind} ${eventType}`).sort(), [
        "compute_node deleted",
        "service deleted",
      ]);
    },
  },
  {
    name: "a service is not deleted while a move from its host, or to it, has not ended",
    run: async (s) => {
      for (const [n, of] of [
        [1, (host: string) => ({ source: { host }, target: { host: "other" } })],
        [2, (host: string) => ({ source: { host: "other" }, target: { host } })],
      ] as const) {
        const host = s.name(`h${n}`);
        const { serviceId } = await s.register(host);
        const remove = () => s.hosts.deleteHostService(s.ctx, { cell: "cell1", serviceId });
        const id = await s.put(n);
        const move = await s.taken(await s.begin(id, "test.move"));
        const told = (
          migration: Parameters<typeof MigrationRecord.fromPartial>[0],
          ...updateMask: string[]
        ) => ({
          change: { migrations: [{ migration, updateMask }] },
        });
        await s.commit(move, told({ status: "migrating", ...of(host) }, "status", "source", "target"));
        assert.equal(await refusal(remove()), "SERVICE_HAS_MIGRATIONS");
        const state = OperationState.OPERATION_STATE_SUCCEEDED;
        await s.commit(move, { state, ...told({ status: "finished" }, "status") });
        assert.equal(await refusal(remove()), "SERVICE_HAS_MIGRATIONS");
        const { rows } = await s.records.listMigrations(s.ctx, { database: "cell1", serverIds: [id] });
        const migration = { id: rows[0]?.migration?.id ?? assert.fail(), status: "confirmed" };
        const confirm = await s.taken(await s.begin(id, "test.life"));
        await s.commit(confirm, { state, ...told(migration, "status") });
        await remove();
      }
    },
  },
  {
    name: "a service that is no agent announces itself under a new epoch each time",
    run: async (s) => {
      const host = s.name("h");
      const announce = async () =>
        (
          await s.world
            .as("scheduler")
            .client(HostsServiceDefinition)
            .registerService(s.ctx, {
              cell: "cell1",
              service: HostService.fromPartial({
                binary: "nova-scheduler",
                host,
                availabilityZone: "internal",
              }),
            })
        ).service;
      const [first, second] = [await announce(), await announce()];
      assert.equal(second?.id, first?.id);
      assert.equal(second?.epoch, (first?.epoch ?? 0n) + 1n);
    },
  },
  {
    name: "an agent speaks for its own host, cell and operations, and registers as an agent only",
    run: async (s) => {
      const [mine, other] = [s.name("mine"), s.name("other")];
      const id = await s.put(1, on(other));
      const operation = await s.begin(id, "test.life");
      const agent = s.agent(mine);
      const report = { serverId: id, powerState: PowerState.POWER_STATE_SHUTDOWN, reportNumber: 1n };
      assert.equal(
        await refusal(agent.reportGuest(s.ctx, { ...report, cell: "cell1", host: other })),
        "WRONG_HOST",
      );
      assert.equal(
        await refusal(agent.reportGuest(s.ctx, { ...report, cell: "cell0", host: mine })),
        "WRONG_CELL",
      );
      assert.equal(
        await refusal(agent.reportCommand(s.ctx, { cell: "cell1", host: mine, commandId: "c", operation })),
        "WRONG_OPERATION",
      );
      const service = HostService.fromPartial({ binary: "nova-conductor", host: mine });
      const node = ComputeNode.fromPartial({ hypervisorHostname: mine });
      assert.equal(
        await refusal(agent.registerHost(s.ctx, { cell: "cell1", service, node })),
        "WRONG_BINARY",
      );
    },
  },
  {
    name: "a guest that ended by itself stops its server, once, and shows it in the timeline",
    run: async (s) => {
      const host = s.name("h");
      const id = await s.put(1, on(host));
      const report = (reportNumber: bigint, powerState: PowerState) =>
        s.agent(host).reportGuest(s.ctx, { cell: "cell1", host, serverId: id, powerState, reportNumber });
      await report(5n, PowerState.POWER_STATE_SHUTDOWN);
      await report(4n, PowerState.POWER_STATE_RUNNING);
      await report(5n, PowerState.POWER_STATE_RUNNING);
      const server = await s.server(id);
      assert.deepEqual(
        [server.vmState, server.powerState, server.generation],
        [VmState.VM_STATE_STOPPED, PowerState.POWER_STATE_SHUTDOWN, 2n],
      );
      const { actions } = await s.servers.listActions(s.ctx, { database: "cell1", query: { serverId: id } });
      assert.deepEqual(
        actions.map(({ action, userId }) => [action, userId]),
        [["stop", ""]],
      );
    },
  },
  {
    name: "a guest of a stopped server must stop, under the fence of its last operation, and the stop is shown",
    run: async (s) => {
      const host = s.name("h");
      const { VM_STATE_STOPPED, VM_STATE_PAUSED } = VmState;
      const { POWER_STATE_RUNNING, POWER_STATE_SHUTDOWN, POWER_STATE_PAUSED } = PowerState;
      const off = { ...on(host), vmState: VM_STATE_STOPPED, powerState: POWER_STATE_SHUTDOWN };
      const id = await s.put(1, off);
      const report = (serverId: string, reportNumber: bigint, powerState: PowerState) =>
        s.agent(host).reportGuest(s.ctx, { cell: "cell1", host, serverId, powerState, reportNumber });
      const stops = async (serverId: string) =>
        (await s.servers.listActions(s.ctx, { database: "cell1", query: { serverId } })).actions.flatMap(
          ({ action, userId }) => (userId === "" ? [action] : []),
        );
      const operation = await s.taken(await s.begin(id, "test.life"));
      assert.deepEqual(await report(id, 1n, POWER_STATE_RUNNING), { mustStop: false, fence: 0n });
      const change = InstanceChange.fromPartial({ server: off, updateMask: ["vm_state", "power_state"] });
      await s.commit(operation, { state: OperationState.OPERATION_STATE_SUCCEEDED, change });
      const { fence } = operation;
      assert.ok(fence > 0n);
      for (const number of [1n, 2n])
        assert.deepEqual(await report(id, number, POWER_STATE_RUNNING), { mustStop: true, fence });
      assert.equal((await s.server(id)).powerState, POWER_STATE_RUNNING);
      assert.deepEqual(await stops(id), []);
      assert.deepEqual(await report(id, 1n, POWER_STATE_RUNNING), { mustStop: false, fence: 0n });
      assert.equal((await report(id, 3n, POWER_STATE_SHUTDOWN)).mustStop, false);
      assert.deepEqual(await stops(id), ["stop"]);

      const paused = await s.put(2, {
        ...on(host),
        vmState: VM_STATE_PAUSED,
        powerState: POWER_STATE_PAUSED,
      });
      await report(paused, 1n, POWER_STATE_SHUTDOWN);
      assert.equal((await s.server(paused)).vmState, VM_STATE_STOPPED);
      assert.deepEqual(await stops(paused), ["stop"]);
    },
  },
  {
    name: "how many servers a host had in a period is written down once, when the period is over",
    run: async (s) => {
      const host = s.name("h");
      const at = (seconds: number) => ({ seconds: BigInt(1_767_225_600 + seconds), nanos: 0 });
      const ran = (n: number, launchedAt: number, terminatedAt?: number, where = host) =>
        s.put(n, {
          ...on(where),
          launchedAt: at(launchedAt),
          terminatedAt: terminatedAt === undefined ? undefined : at(terminatedAt),
        });
      await ran(1, 0);
      await ran(2, 99, 101);
      await ran(3, 0, 50);
      await ran(4, 200);
      await ran(5, 0, undefined, s.name("other"));
      const record = (beginning: number, ending: number) =>
        s.agent(host).recordUsageAudit(s.ctx, {
          cell: "cell1",
          host,
          periodBeginning: at(beginning),
          periodEnding: at(ending),
        });
      assert.deepEqual(await record(50, 200), { taskItems: 2, isNew: true });
      await ran(6, 100);
      assert.deepEqual(await record(50, 200), { taskItems: 2, isNew: false });
      assert.deepEqual(await record(200, 201), { taskItems: 3, isNew: true });
      assert.equal(await refusal(record(200, 200)), "INVALID_ARGUMENT");
      assert.equal(await refusal(record(0, 10 ** 10)), "INVALID_ARGUMENT");
    },
  },
  {
    name: "a rescued server stays rescued when its guest ends, and is in error when it cannot be brought back up",
    run: async (s) => {
      const host = s.name("h");
      const id = await s.put(1, { ...on(host), vmState: VmState.VM_STATE_RESCUED });
      const powerState = PowerState.POWER_STATE_SHUTDOWN;
      const report = (more: object) =>
        s.agent(host).reportGuest(s.ctx, { cell: "cell1", host, serverId: id, powerState, ...more });
      const shown = async () => {
        const { vmState, powerState: power, fault } = await s.server(id);
        return [vmState, power, fault?.reason];
      };
      await report({ reportNumber: 1n });
      assert.deepEqual(await shown(), [VmState.VM_STATE_RESCUED, powerState, undefined]);
      const { actions } = await s.servers.listActions(s.ctx, { database: "cell1", query: { serverId: id } });
      assert.deepEqual(actions, []);
      await report({ reportNumber: 2n, fault: { code: 500, message: "m", reason: "NO_DISK" } });
      assert.deepEqual(await shown(), [VmState.VM_STATE_ERROR, powerState, "NO_DISK"]);
    },
  },
  {
    name: "a guest that is suspended stops an active server and leaves a suspended one, and is not forgotten",
    run: async (s) => {
      const host = s.name("h");
      const { VM_STATE_STOPPED, VM_STATE_SUSPENDED } = VmState;
      const { POWER_STATE_SUSPENDED } = PowerState;
      for (const [n, before, after] of [
        [1, VmState.VM_STATE_ACTIVE, VM_STATE_STOPPED],
        [2, VM_STATE_SUSPENDED, VM_STATE_SUSPENDED],
      ] as const) {
        const id = await s.put(n, { ...on(host), vmState: before });
        await s.agent(host).reportGuest(s.ctx, {
          cell: "cell1",
          host,
          serverId: id,
          powerState: POWER_STATE_SUSPENDED,
          reportNumber: 1n,
        });
        const { vmState, powerState } = await s.server(id);
        assert.deepEqual([vmState, powerState], [after, POWER_STATE_SUSPENDED]);
      }
    },
  },
  {
    name: "ports that are lost leave the record, not while an operation owns the server",
    run: async (s) => {
      const host = s.name("h");
      const ports: InstancePort[] = ["p1", "p2"].map((portId) =>
        Port.fromPartial({ portId, addresses: [{ ipAddress: `10.0.0.${portId.slice(1)}`, version: 4 }] }),
      );
      const id = await s.put(1, on(host), ports);
      const lose = async (portIds: string[], of = host) =>
        (await s.agent(of).reportLostPorts(s.ctx, { cell: "cell1", host: of, serverId: id, portIds }))
          .settled;
      assert.equal(await lose(["p9"]), true);
      assert.equal(await lose(["p1"]), true);
      assert.deepEqual(
        (await s.server(id)).addresses.map(({ address }) => address),
        ["10.0.0.2"],
      );
      await s.begin(id, "test.life");
      assert.equal(await lose(["p2"]), false);
      assert.equal(await refusal(lose(["p2"], s.name("elsewhere"))), "SERVER_NOT_FOUND");
    },
  },
  {
    name: "an agent learns which of its guests are proven to be deleted",
    run: async (s) => {
      const host = s.name("h");
      const [alive, gone] = [await s.put(1, on(host)), await s.put(2, on(host))];
      const operation = await s.taken(await s.begin(gone, "server.delete"));
      const ask = async (serverIds: string[]) =>
        (await s.agent(host).findDeletedInstances(s.ctx, { cell: "cell1", host, serverIds })).deleted;
      assert.deepEqual(await ask([alive, gone]), []);
      await s.commit(operation, {
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        change: { deleteRecord: true },
      });
      assert.deepEqual(await ask([alive, gone, s.id(9)]), [{ serverId: gone, fence: operation.fence }]);
      assert.equal(await refusal(ask(Array.from({ length: 501 }, (_, n) => s.id(n)))), "INVALID_ARGUMENT");
      const { instances } = await s.agent(host).listHostInstances(s.ctx, { cell: "cell1", host });
      assert.deepEqual(
        instances.map(({ server }) => server?.id),
        [alive],
      );
    },
  },
  {
    name: "it learns which live elsewhere, but not while something is done to them, or their move rests",
    run: async (s) => {
      const [host, other] = [s.name("h"), s.name("o")];
      const [here, there, nowhere] = [
        await s.put(1, on(host)),
        await s.put(2, on(other)),
        await s.put(3, on("")),
      ];
      const ask = async (): Promise<string[]> => {
        const serverIds = [here, there, nowhere, s.id(9)];
        const asked = { cell: "cell1", host, serverIds };
        const { deleted, elsewhere } = await s.agent(host).findDeletedInstances(s.ctx, asked);
        assert.deepEqual(deleted, []);
        return elsewhere.map(({ serverId }) => serverId).sort();
      };
      assert.deepEqual(await ask(), [there, nowhere].sort());
      const operation = await s.taken(await s.begin(there, "test.move"));
      assert.deepEqual(await ask(), [nowhere]);
      const target = {
        migration: { status: "finished", target: { host } },
        updateMask: ["status", "target"],
      };
      await s.commit(operation, {
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        change: { migrations: [target] },
      });
      assert.deepEqual(await ask(), [nowhere]);
      await s.commit(await s.taken(await s.begin(nowhere, "test.life")), {
        state: OperationState.OPERATION_STATE_SUCCEEDED,
      });
      assert.deepEqual(await ask(), [nowhere]);
    },
  },
  {
    name: "aggregates have growing numbers, names of their own, and are found by either id",
    run: async (s) => {
      const first = (await aggregate(s, 1, s.name("a"))).aggregate;
      const second = (await aggregate(s, 2, s.name("b"))).aggregate;
      assert.ok(first !== undefined && second !== undefined && first.number < second.number);
      assert.deepEqual(first.hosts, []);
      assert.equal(await refusal(aggregate(s, 3, s.name("a"))), "AGGREGATE_EXISTS");
      assert.equal(await refusal(alter(s, 2, { name: s.name("a") })), "AGGREGATE_EXISTS");
      const found = await s.aggregates.getStoredAggregate(s.ctx, { aggregateId: String(first.number) });
      assert.equal(found.aggregate?.id, s.id(1));
      const { aggregates } = await s.aggregates.listStoredAggregates(s.ctx, {
        pageToken: String(first.number - 1n),
        pageSize: 1,
      });
      assert.deepEqual(
        aggregates.map(({ id }) => id),
        [s.id(1)],
      );
      assert.equal(
        await refusal(s.aggregates.getStoredAggregate(s.ctx, { aggregateId: s.id(9) })),
        "AGGREGATE_NOT_FOUND",
      );
    },
  },
  {
    name: "a token repeated answers with the same aggregate",
    run: async (s) => {
      await aggregate(s, 1, s.name("a"), "t");
      const again = await aggregate(s, 2, s.name("b"), "t");
      assert.deepEqual([again.aggregate?.id, again.replayed], [s.id(1), true]);
    },
  },
  {
    name: "a host is in an aggregate once, and never in two zones",
    run: async (s) => {
      const host = s.name("h");
      const zone = (name: string) => new Map([["availability_zone", name]]);
      await aggregate(s, 1, s.name("a"), "", zone("west"));
      await aggregate(s, 2, s.name("b"), "", zone("east"));
      await alter(s, 1, { addHost: host });
      assert.equal(await refusal(alter(s, 1, { addHost: host })), "HOST_IN_AGGREGATE");
      assert.equal(await refusal(alter(s, 2, { addHost: host })), "HOST_IN_OTHER_ZONE");
      assert.equal(await refusal(alter(s, 2, { removeHost: host })), "HOST_NOT_IN_AGGREGATE");
      const { aggregates } = await s.aggregates.listStoredAggregates(s.ctx, { host });
      assert.deepEqual(
        aggregates.map(({ id }) => id),
        [s.id(1)],
      );
      assert.equal(
        await refusal(s.aggregates.deleteStoredAggregate(s.ctx, { aggregateId: s.id(1) })),
        "AGGREGATE_HAS_HOSTS",
      );
      await alter(s, 1, { removeHost: host });
      await s.aggregates.deleteStoredAggregate(s.ctx, { aggregateId: s.id(1) });
      await alter(s, 2, { addHost: host });
    },
  },
  {
    name: "an aggregate's zone is its hosts', from the change on",
    run: async (s) => {
      const host = s.name("h");
      await s.register(host);
      const zone = async () => (await list(s, { host })).services[0]?.availabilityZone;
      assert.equal(await zone(), "nova");
      await aggregate(s, 1, s.name("a"));
      await alter(s, 1, { addHost: host });
      await alter(s, 1, { setMetadata: new Map([["availability_zone", "west"]]) });
      assert.equal(await zone(), "west");
      await alter(s, 1, { removeMetadata: ["availability_zone"] });
      assert.equal(await zone(), "nova");
    },
  },
  {
    name: "the feed tells each change of an aggregate, and none that changes nothing",
    run: async (s) => {
      const mark = await s.mark("global");
      await aggregate(s, 1, s.name("a"));
      await alter(s, 1, { setMetadata: new Map([["k", "v"]]) });
      await alter(s, 1, { setMetadata: new Map([["k", "v"]]) });
      await s.aggregates.deleteStoredAggregate(s.ctx, { aggregateId: s.id(1) });
      const told = await s.told(mark, { database: "global", entity: s.id(1) });
      assert.deepEqual(
        told.map(({ eventType, generation }) => [eventType, generation]),
        [
          ["created", 1n],
          ["changed", 2n],
          ["deleted", 3n],
        ],
      );
    },
  },
];
