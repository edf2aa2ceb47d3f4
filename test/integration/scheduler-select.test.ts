import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  RequestPurpose,
  SchedulerServiceDefinition,
} from "../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { SchedulerHints } from "../../gen/kilonova/type/v1/scheduler_hints.js";
import type { SelectDestinationsRequest } from "../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { AggregateStoreServiceDefinition } from "../../gen/kilonova/cells/v1/aggregates_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { ServerHostInfo, VmState } from "../../gen/kilonova/type/v1/server.js";
import { aHost, refusal, testPlacement } from "../../pkg/placement/testing/test-placement.js";
import type { TestPlacement } from "../../pkg/placement/testing/test-placement.js";
import { buildScheduler, schedulerConfig } from "../../pkg/scheduler/index.js";
import type { SchedulerService } from "../../pkg/scheduler/index.js";
import { CellsTwin } from "../../pkg/cells/testing/twin/twin.js";
import { addHost as addHostTo } from "../../pkg/scheduler/testing/add-host.js";
import type { HostInit } from "../../pkg/scheduler/testing/add-host.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import type { Client } from "../../pkg/platform/rpc/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";

type Flavor = NonNullable<
  NonNullable<
    Parameters<Client<typeof SchedulerServiceDefinition>["selectDestinations"]>[1]["spec"]
  >["flavor"]
>;

describe("scheduler (PostgreSQL)", () => {
  let placement: TestPlacement;
  let cells: CellsTwin;
  let scheduler: SchedulerService;
  let client: Client<typeof SchedulerServiceDefinition>;
  let stop: AbortController;
  let running: Promise<void>;
  const down = new Set<string>();

  beforeEach(async () => {
    placement = await testPlacement();
    cells = new CellsTwin();
    placement.network.listen("cells", cells.bindings);
    const as = { service: "scheduler", host: "" };
    scheduler = buildScheduler({
      placement: placement.network.connect("placement", as),
      cells: placement.network.connect("cells", as),
      liveness: { isUp: (host) => !down.has(host), settled: () => true },
      clock: systemClock,
      config: schedulerConfig.parse({}),
    });
    placement.network.listen("scheduler", scheduler.bindings);
    client = placement.network
      .connect("scheduler", { service: "conductor", host: "" })
      .client(SchedulerServiceDefinition);
    stop = new AbortController();
    running = scheduler.start(testCtx({ deadlineMs: undefined, signal: stop.signal }));
    down.clear();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await placement.close();
  });

  const asApi = () => placement.network.connect("cells", { service: "api", host: "" });
  const addHost = async (
    name: string,
    init: Partial<Parameters<typeof aHost>[0]> = {},
    cell = "cell1",
    more: HostInit = {},
  ): Promise<string> => {
    const id = randomUUID();
    await placement.as("cells").syncProviderTree(testCtx(), { root: aHost({ id, name, ...init }) });
    addHostTo(cells, cell, id, name, more);
    return id;
  };
  const requestFor = (server: string, flavor: Flavor = {}, more: Record<string, unknown> = {}) => ({
    serverId: server,
    projectId: "p1",
    userId: "u1",
    operation: `${server}/boot`,
    fence: 1n,
    alternates: 2,
    ...more,
    spec: {
      flavor: { name: "m1.small", vcpus: 1, memoryMib: 512, rootGib: 1, ...flavor },
      image: { id: "i1", diskFormat: "qcow2" },
      ...(more["spec"] as object | undefined),
    },
  });
  const select = (
    request: Parameters<typeof client.selectDestinations>[1] &
      Partial<Record<keyof SelectDestinationsRequest, unknown>>,
  ) =>
    until(async () =>
      client
        .selectDestinations(testCtx(), request)
        .catch((error: { reason?: string }) => {
          if (error.reason === "VIEWS_NOT_READY") return undefined;
          throw Object.assign(new Error("ended"), { cause: error, final: error });
        })
        .catch((error: { final?: unknown }) => ({ failed: error.final })),
    ).then((outcome) => {
      if ("failed" in outcome) throw outcome.failed;
      return outcome;
    });

  it("chooses a host, claims it and names alternates of the same cell", async () => {
    for (const name of ["a", "b", "c"]) await addHost(name);
    await addHost("far", {}, "cell2");
    const server = randomUUID();
    const { chosen, alternates, consumerGeneration } = await select(requestFor(server));
    assert.ok(chosen);
    assert.equal(chosen.agentAddress, `agent:${chosen.host}`);
    assert.equal(consumerGeneration, 1n);
    assert.ok(alternates.every((one) => one.cell === chosen.cell && one.host !== chosen.host));
    const {
      consumers: [held],
    } = await placement.as("scheduler").getAllocations(testCtx(), { consumerId: server });
    assert.deepEqual(
      held?.allocations.map((one) => [one.providerId, [...one.resources].sort()]),
      [
        [
          chosen.computeNodeId,
          [
            ["DISK_GB", 1n],
            ["MEMORY_MB", 512n],
            ["VCPU", 1n],
          ],
        ],
      ],
    );
  });

  it("obeys aggregates: zones, and flavors that only some hosts take", async () => {
    for (const name of ["a", "b"]) await addHost(name);
    await select(requestFor(randomUUID()));
    const aggregates = asApi().client(AggregateStoreServiceDefinition);
    const metadata = new Map([
      ["availability_zone", "west"],
      ["ssd", "true"],
    ]);
    const aggregateId = randomUUID();
    await aggregates.createStoredAggregate(testCtx(), {
      aggregate: { id: aggregateId, name: "w", metadata },
    });
    await aggregates.updateStoredAggregate(testCtx(), { aggregateId, addHost: "a" });
    const chosenFor = async (more: Record<string, unknown>, flavor: Flavor = {}) =>
      (
        await until(async () => {
          const { chosen } = await select(requestFor(randomUUID(), flavor, more));
          return chosen;
        })
      )?.host;
    await until(
      async () =>
        await select(requestFor(randomUUID(), {}, { spec: { availabilityZone: "west" } })).then(
          () => true,
          () => undefined,
        ),
      { what: "the zone" },
    );
    assert.equal(await chosenFor({ spec: { availabilityZone: "west" } }), "a");
    assert.equal(await chosenFor({ spec: { availabilityZone: "nova" } }), "b");
    await assert.rejects(select(requestFor(randomUUID(), {}, { spec: { availabilityZone: "mars" } })), {
      reason: "NO_VALID_HOST",
    });
  });

  it("answers a repetition with the same claim, and a new owner too", async () => {
    for (const name of ["a", "b", "c", "d"]) await addHost(name);
    const server = randomUUID();
    const first = await select(requestFor(server));
    const again = await select(requestFor(server));
    assert.equal(again.chosen?.host, first.chosen?.host);
    await select(requestFor(server, {}, { fence: 2n }));
    const { consumers } = await placement.as("scheduler").getAllocations(testCtx(), { consumerId: server });
    assert.equal(consumers.length, 1);
    assert.equal(consumers[0]?.claimFence, 2n);
  });

  it("moves the claim when its host is excluded by now", async () => {
    for (const name of ["a", "b"]) await addHost(name);
    const server = randomUUID();
    const first = await select(requestFor(server));
    const second = await select(requestFor(server, {}, { excludeHosts: [first.chosen?.host ?? ""] }));
    assert.notEqual(second.chosen?.host, first.chosen?.host);
    assert.equal(second.consumerGeneration, 2n);
  });

  it("places exactly as many of many parallel requests as fit", async () => {
    for (const name of ["a", "b", "c"]) await addHost(name, { vcpus: 4 });
    await select(requestFor(randomUUID()));
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () =>
        select(requestFor(randomUUID())).then(
          () => "ok",
          (error: { reason: string }) => error.reason,
        ),
      ),
    );
    assert.equal(outcomes.filter((one) => one === "ok").length, 11, outcomes.join());
    assert.equal(outcomes.filter((one) => one === "NO_VALID_HOST").length, 19);
  });

  it("explains a refusal by rule, without names of hosts", async () => {
    await addHost("small", { vcpus: 2 });
    await addHost("tiny", { vcpus: 1 });
    await addHost("down", { vcpus: 16 });
    await addHost("disabled", { vcpus: 16 }, "cell1", { service: { disabled: true } });
    await addHost("elsewhere", { vcpus: 16 }, "cell1", { service: { availabilityZone: "other" } });
    down.add("down");
    const error = await refusal(
      select(
        requestFor(
          randomUUID(),
          { vcpus: 4 },
          {
            spec: {
              availabilityZone: "nova",
              flavor: { name: "m1.large", vcpus: 4, memoryMib: 512, rootGib: 1 },
            },
          },
        ),
      ),
    );
    assert.equal(error.reason, "NO_VALID_HOST");
    assert.equal(error.facts["hosts_considered"], "5");
    assert.deepEqual(JSON.parse(error.facts["refusals"] ?? ""), [
      { rule: "AvailabilityZone", reason: "OTHER_ZONE", hosts: 1, facts: { needed: "nova", have: "other" } },
      {
        rule: "placement",
        reason: "NOT_ENOUGH",
        hosts: 2,
        facts: { resource_class: "VCPU", needed: "4", free: "2", capacity: "2" },
      },
      { rule: "ComputeFilter", reason: "HOST_DOWN", hosts: 1, facts: {} },
      { rule: "ComputeFilter", reason: "HOST_DISABLED", hosts: 1, facts: {} },
    ]);
    for (const name of ["small", "tiny", "elsewhere"])
      assert.ok(!`${error.message} ${JSON.stringify(error.facts)}`.includes(name));
    assert.equal(
      error.message,
      "No valid host was found. There are not enough hosts available. " +
        "2 of 5 hosts: not enough vCPUs (4 needed, nearest has 2 free); 1 of 5 hosts: not in availability zone nova; " +
        "1 of 5 hosts: down; 1 of 5 hosts: disabled by the operator.",
    );
  });

  it("forces a host past its filters, and asks for one within them", async () => {
    await addHost("a");
    await addHost("b");
    down.add("b");
    assert.equal(
      (await select(requestFor(randomUUID(), {}, { spec: { forcedHost: "b" } }))).chosen?.host,
      "b",
    );
    assert.equal(
      (await refusal(select(requestFor(randomUUID(), {}, { spec: { requestedHost: "b" } })))).reason,
      "NO_VALID_HOST",
    );
  });

  it("keeps members of an anti-affinity group apart, even before their cell knows them", async () => {
    for (const name of ["a", "b"]) await addHost(name);
    const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
    const group = { id: "g1", policy: "anti-affinity", memberIds: [one, two, three] };
    const hosts = [
      await select(requestFor(one, {}, { group })),
      await select(requestFor(two, {}, { group })),
    ].map(({ chosen }) => chosen?.host);
    assert.deepEqual(hosts.sort(), ["a", "b"]);
    assert.equal((await refusal(select(requestFor(three, {}, { group })))).reason, "NO_VALID_HOST");
  });

  it("follows changes of services and instances through the feed", async () => {
    await addHost("a");
    const host = await addHost("b");
    const first = randomUUID();
    await select(requestFor(first, {}, { spec: { requestedHost: "b" } }));
    await asApi()
      .client(HostsServiceDefinition)
      .updateHostService(testCtx(), { cell: "cell1", serviceId: "service-a", disabled: true });
    cells.change("cell1", {
      id: first,
      vmState: VmState.VM_STATE_ACTIVE,
      hostInfo: ServerHostInfo.fromPartial({ host: "b", computeNodeUuid: host }),
    });
    await until(async () => {
      const { chosen } = await select(
        requestFor(
          randomUUID(),
          {},
          { spec: { schedulerHints: SchedulerHints.fromPartial({ sameHost: [first] }) } },
        ),
      );
      return chosen?.host === "b";
    });
    const { explanation } = await placement.network
      .connect("scheduler", { service: "api", host: "" })
      .client(SchedulerServiceDefinition)
      .explain(testCtx(), { projectId: "p1", adminView: true, spec: requestFor("x").spec });
    assert.deepEqual(explanation?.acceptedHosts, ["b"]);
    assert.deepEqual(
      explanation.refusals.map((one) => [one.rule, one.reason, one.nearestHost]),
      [["ComputeFilter", "HOST_DISABLED", "a"]],
    );
  });

  /** A server that was booted on `name`, and what a move of it asks. */
  const booted = async (name: string) => {
    const server = randomUUID();
    const migration = randomUUID();
    const { chosen } = await select(requestFor(server, {}, { spec: { requestedHost: name } }));
    assert.ok(chosen !== undefined);
    const source = { cell: chosen.cell, host: chosen.host, computeNodeId: chosen.computeNodeId };
    const moveTo = (purpose: RequestPurpose, more: Record<string, unknown> = {}) =>
      select(
        requestFor(
          server,
          {},
          { operation: `${server}/move`, fence: 2n, purpose, source, migrationId: migration, ...more },
        ),
      );
    return { server, migration, source, moveTo };
  };
  const heldBy = async (consumerId: string): Promise<string[]> => {
    const { consumers } = await placement.as("conductor").getAllocations(testCtx(), { consumerId });
    return consumers.flatMap(({ allocations }) => allocations.map(({ providerId }) => providerId)).sort();
  };

  it("moves a server: the migration keeps the source; undone and tried again elsewhere", async () => {
    const a = await addHost("a");
    for (const name of ["b", "c"]) await addHost(name);
    const { server, migration, moveTo } = await booted("a");
    const first = await moveTo(RequestPurpose.REQUEST_PURPOSE_RESIZE);
    const [destination, host] = [first.chosen?.computeNodeId ?? "", first.chosen?.host ?? ""];
    assert.deepEqual([await heldBy(server), await heldBy(migration)], [[destination], [a]]);
    assert.deepEqual([first.consumerGeneration, first.migrationGeneration], [2n, 1n]);
    const again = await moveTo(RequestPurpose.REQUEST_PURPOSE_RESIZE);
    assert.deepEqual([again.chosen?.host, again.consumerGeneration], [host, 2n]);
    await placement.as("conductor").revertAllocations(testCtx(), {
      consumerId: server,
      takenByConsumerId: migration,
      operation: `${server}/move`,
      fence: 2n,
      attempt: 0,
    });
    assert.deepEqual([await heldBy(server), await heldBy(migration)], [[a], []]);
    const late = await refusal(moveTo(RequestPurpose.REQUEST_PURPOSE_RESIZE));
    assert.equal(late.reason, "CLAIM_TOMBSTONED");
    const next = await moveTo(RequestPurpose.REQUEST_PURPOSE_RESIZE, { attempt: 1, excludeHosts: [host] });
    assert.ok(![host, "a"].includes(next.chosen?.host ?? ""));
    assert.deepEqual(await heldBy(migration), [a]);
  });

  it("evacuates with both halves, in the cell, whatever the boot was forced to", async () => {
    const a = await addHost("a");
    const b = await addHost("b");
    await addHost("far", {}, "cell2");
    const { server, moveTo } = await booted("a");
    down.add("a");
    const { chosen } = await moveTo(RequestPurpose.REQUEST_PURPOSE_EVACUATION, {
      migrationId: "",
      spec: { forcedHost: "a" },
    });
    assert.equal(chosen?.host, "b");
    assert.deepEqual(await heldBy(server), [a, b].sort());
    assert.deepEqual(
      chosen.resources.map(({ providerId }) => providerId),
      [b],
    );
  });

  it("goes where a move is asked to go, checked or forced", async () => {
    for (const name of ["a", "b", "c"]) await addHost(name);
    down.add("b");
    const { moveTo } = await booted("a");
    const to = (host: string, forced: boolean) =>
      moveTo(RequestPurpose.REQUEST_PURPOSE_LIVE_MIGRATION, { requestedDestination: { host, forced } });
    assert.equal((await refusal(to("b", false))).reason, "NO_VALID_HOST");
    assert.equal((await refusal(to("a", true))).reason, "NO_VALID_HOST", "not where it is");
    assert.equal((await to("b", true)).chosen?.host, "b");
  });

  it("tells where each port's resources are, also when asked again, and what the host may give", async () => {
    const host = await addHost("a", { ratio: 2 });
    const cards = ["CUSTOM_LEFT", "CUSTOM_RIGHT"];
    const ids = await Promise.all(
      cards.map(async (trait) => {
        const id = randomUUID();
        const gateway = placement.as("gateway");
        await gateway.createProvider(testCtx(), { id, name: trait, parentId: host });
        await gateway.ensureTrait(testCtx(), { name: trait });
        await gateway.setProviderTraits(testCtx(), { providerId: id, traits: [trait] });
        await gateway.setInventories(testCtx(), {
          providerId: id,
          ignoreGeneration: true,
          inventories: [{ resourceClass: "NET_BW_EGR_KILOBIT_PER_SEC", total: 100n, maxUnit: 100n }],
          replaceAll: true,
        });
        return id;
      }),
    );
    const groups = cards.map((trait, number) => ({
      suffix: `port-${number}`,
      resources: new Map([["NET_BW_EGR_KILOBIT_PER_SEC", 100n]]),
      required: [{ anyOf: [trait] }],
    }));
    const server = randomUUID();
    const wanted = requestFor(server, {}, { groups });
    await until(async () => select(wanted).catch(() => undefined), { what: "the cards" });
    const { chosen } = await select(wanted);
    const mapped = [...(chosen?.mappings ?? [])].map(([suffix, one]) => [suffix, one.ids]);
    assert.deepEqual(Object.fromEntries(mapped), { "": [host], "port-0": [ids[0]], "port-1": [ids[1]] });
    assert.deepEqual(
      [chosen?.limits?.vcpus, chosen?.limits?.memoryMib, chosen?.limits?.diskGib, chosen?.limits?.numa],
      [16n, 16_384n, 100n, undefined],
    );
    const full = await refusal(select(requestFor(randomUUID(), {}, { groups })));
    assert.match(full.message, /NET_BW_EGR_KILOBIT_PER_SEC/);
    assert.equal(
      (await refusal(select(requestFor(randomUUID(), {}, { groups: [...groups, groups[0]] })))).reason,
      "CANDIDATES_INVALID",
    );
  });

  it("refuses what hosts do not report, and says so", async () => {
    await addHost("a");
    const numa = await refusal(
      select(requestFor(randomUUID(), { extraSpecs: new Map([["hw:numa_nodes", "2"]]) })),
    );
    assert.match(numa.message, /1 of 1 host: no NUMA topology is known, which hw:numa_nodes needs\./);
    const pci = await refusal(
      select(requestFor(randomUUID(), {}, { pciRequests: [{ requestId: "port-1", count: 1 }] })),
    );
    assert.match(pci.message, /no PCI devices are known, which port-1 needs/);
  });

  it("judges a rebuild on its host, claims nothing, and wants to know what a purpose needs", async () => {
    await addHost("a");
    const { server, moveTo, source } = await booted("a");
    const held = await heldBy(server);
    const { chosen, consumerGeneration } = await moveTo(RequestPurpose.REQUEST_PURPOSE_REBUILD_CHECK);
    assert.deepEqual([chosen?.host, consumerGeneration, await heldBy(server)], ["a", 0n, held]);
    for (const [purpose, more] of [
      [RequestPurpose.REQUEST_PURPOSE_RESIZE, { migrationId: "" }],
      [RequestPurpose.REQUEST_PURPOSE_EVACUATION, { source: { ...source, cell: "" } }],
      [RequestPurpose.REQUEST_PURPOSE_REBUILD_CHECK, { source: undefined }],
      [99 as RequestPurpose, {}],
      [RequestPurpose.REQUEST_PURPOSE_BOOT, { groups: [{ suffix: "" }] }],
      [RequestPurpose.REQUEST_PURPOSE_BOOT, { groupPolicy: "some" }],
    ] as const)
      assert.equal((await refusal(moveTo(purpose, more))).reason, "INVALID_ARGUMENT", JSON.stringify(more));
  });
});
