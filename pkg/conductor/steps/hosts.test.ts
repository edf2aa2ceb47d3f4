import assert from "node:assert/strict";
import { CommonErrors, KilonovaError } from "../../kernel/index.js";
import { ServerGroup, ServerGroupPolicy } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { CommandPhase, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { SelectDestinationsResponse } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { aServer } from "../../cells/testing/records.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { fakeGlance } from "../../clients/glance/testing/fake-glance.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import type { Agents, Ports } from "../ports.js";
import { OPERATION, SERVER, aCall, finished } from "../testing/a-call.js";
import { buildGuest } from "./build-guest.js";
import { claimHost } from "./claim-host.js";
import { claimedHost, selectedHosts } from "./destinations.js";
import { selectDestinations } from "./select-destinations.js";
import { destroyGuest, hostsTouched } from "./destroy-guest.js";

const hostOf = (name: string) => ({
  cell: "cell1",
  host: name,
  node: name,
  computeNodeId: name,
  zone: "nova",
  resources: [{ providerId: name, resources: { VCPU: "1" } }],
});
const refused = (reason: string): KilonovaError =>
  new KilonovaError({ kind: "refused", domain: "placement", reason, message: "no" });

/** A group whose policy refuses some hosts. */
const someGroup = (refusing: readonly string[] = []): Ports["groups"] => ({
  getStoredServerGroup: async () => ({
    serverGroup: ServerGroup.fromPartial({
      id: "g",
      policy: ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY,
      memberIds: ["m"],
    }),
    memberHosts: ["a"],
  }),
  placeGroupMember: async (_ctx, { host }) => {
    if (refusing.includes(host ?? "")) throw refused("GROUP_POLICY_VIOLATED");
    return {};
  },
});

function claims(
  full: readonly string[],
  againstPolicy: readonly string[] = [],
  reason = "CAPACITY_EXCEEDED",
) {
  const asked: string[] = [];
  const placement: Ports["placement"] = {
    claimAllocations: async (_ctx, { claim }) => {
      const host = claim?.allocations?.[0]?.providerId ?? "";
      asked.push(host);
      if (full.includes(host)) throw refused(reason);
      return { consumerGeneration: 1n, revision: 1n, consumerGenerations: new Map() };
    },
    releaseAllocations: async () => ({ released: true }),
  };
  return { asked, step: claimHost({ placement, groups: someGroup(againstPolicy) }) };
}

describe("claim-host", () => {
  const selected = finished(selectedHosts, { hosts: [hostOf("a"), hostOf("b"), hostOf("c")] });
  it("takes the scheduler's own claim at first", async () => {
    const { asked, step } = claims([]);
    const result = await step.run(aCall({ steps: [selected] }));
    assert.ok(result.kind === "done");
    assert.deepEqual([asked, result.output], [[], { index: 0, host: hostOf("a") }]);
  });
  it("claims the next alternate that has room after a failure", async () => {
    const { asked, step } = claims(["b"]);
    const result = await step.run(
      aCall({
        steps: [selected, finished(claimedHost, { index: 0, host: hostOf("a") }, "undone")],
        round: 1,
      }),
    );
    assert.ok(result.kind === "done");
    assert.deepEqual([asked, (result.output as { index: number }).index], [["b", "c"], 2]);
  });
  it("tries no other alternate when it was overtaken, or undone before", async () => {
    for (const reason of ["CLAIM_FENCED", "CLAIM_TOMBSTONED", "CONSUMER_GENERATION_CONFLICT"]) {
      const { asked, step } = claims(["b"], [], reason);
      const steps = [selected, finished(claimedHost, { index: 0, host: hostOf("a") }, "undone")];
      await assert.rejects(step.run(aCall({ steps, round: 1 })), { reason });
      assert.deepEqual(asked, ["b"]);
    }
  });
  it("passes over alternates that the server's group forbids", async () => {
    const { asked, step } = claims([], ["b"]);
    const result = await step.run(
      aCall({
        instance: { spec: ServerSpec.fromPartial({ serverGroupId: "g" }) },
        steps: [selected, finished(claimedHost, { index: 0, host: hostOf("a") }, "undone")],
        round: 1,
      }),
    );
    assert.ok(result.kind === "done");
    assert.deepEqual(asked, ["c"]);
  });
  it("gives up with the last failure when no alternate is left", async () => {
    const { step } = claims([]);
    const error = {
      reason: "X",
      domain: "compute",
      message: "The disk is full.",
      facts: new Map<string, string>(),
      noValidHost: undefined,
    };
    const result = await step.run(
      aCall({
        steps: [selected, finished(claimedHost, { index: 2, host: hostOf("c") }, "undone")],
        round: 3,
        operation: { error },
      }),
    );
    assert.ok(result.kind === "fail");
    assert.deepEqual([result.error.reason, result.backTo], ["MAX_RETRIES_EXCEEDED", ""]);
    assert.match(result.details, /The disk is full/);
  });
  it("tells the scheduler's refusal", async () => {
    const { step } = claims([]);
    const refusal = {
      message: "No valid host was found. There are not enough hosts available.",
      details: "RamFilter refused 3",
      facts: { hosts: "3" },
    };
    const result = await step.run(aCall({ steps: [finished(selectedHosts, { hosts: [], refusal })] }));
    assert.ok(result.kind === "fail");
    assert.deepEqual([result.error.reason, result.details], ["NO_VALID_HOST", "RamFilter refused 3"]);
  });
});

describe("select-destinations", () => {
  const inGroup = () => aCall({ instance: { spec: ServerSpec.fromPartial({ serverGroupId: "g" }) } });
  const asking = (refusing: readonly string[], order: readonly string[]) => {
    const requests: { excluded: readonly string[]; policy: string | undefined }[] = [];
    const scheduler: Ports["scheduler"] = {
      selectDestinations: async (_ctx, { excludeHosts = [], group }) => {
        requests.push({ excluded: [...excludeHosts], policy: group?.policy });
        return SelectDestinationsResponse.fromPartial({
          chosen: { cell: "cell1", host: order.find((host) => !excludeHosts.includes(host)) ?? "" },
        });
      },
    };
    const { placement } = agentThat(() => ({}));
    return { requests, step: selectDestinations({ scheduler, placement, groups: someGroup(refusing) }, 2) };
  };
  it("tells the scheduler of the group, and asks again when its policy forbids the host by now", async () => {
    const { requests, step } = asking(["a"], ["a", "b"]);
    const result = await step.run(inGroup());
    assert.ok(result.kind === "done");
    assert.deepEqual(
      (result.output as { hosts: { host: string }[] }).hosts.map(({ host }) => host),
      ["b"],
    );
    assert.deepEqual(requests, [
      { excluded: [], policy: "anti-affinity" },
      { excluded: ["a"], policy: "anti-affinity" },
    ]);
  });
  it("keeps the scheduler's sentence for the owner, and its details for operators", async () => {
    const { placement } = agentThat(() => ({}));
    const scheduler: Ports["scheduler"] = {
      selectDestinations: async () => {
        throw new KilonovaError({
          kind: "refused",
          domain: "scheduler",
          reason: "NO_VALID_HOST",
          message: "No valid host was found. 1 of 1 host: down.",
          facts: { summary: "1 of 1 host: down", details: "ComputeFilter HOST_DOWN" },
        });
      },
    };
    const step = selectDestinations({ scheduler, placement, groups: someGroup([]) }, 2);
    const result = await step.run(aCall({}));
    assert.ok(result.kind === "done");
    assert.deepEqual((result.output as { refusal: object }).refusal, {
      message: "No valid host was found. 1 of 1 host: down.",
      details: "ComputeFilter HOST_DOWN",
      facts: { summary: "1 of 1 host: down" },
    });
  });
  it("gives up when the policy forbids one host after the other", async () => {
    const { requests, step } = asking(["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e", "f"]);
    const result = await step.run(inGroup());
    assert.ok(result.kind === "done");
    assert.match(
      (result.output as { refusal: { message: string } }).refusal.message,
      /^No valid host was found/,
    );
    assert.equal(requests.length, 5);
  });
});

function agentThat(answers: () => Partial<CommandResult>, up = true): Ports {
  const result = async () => ({ result: CommandResult.fromPartial(answers()) });
  const client = { runCommand: result } as unknown as Awaited<ReturnType<Agents["at"]>>;
  return {
    agents: { at: async () => client, isUp: async () => up },
    agentWaitMs: 1,
    softTimeoutMs: 1,
    neutron: fakeNeutron(),
    cinder: fakeCinder(),
    records: { listBlockDevices: async () => ({ blockDevices: [], nextPageToken: "" }) },
    images: fakeGlance(),
    operations: { settleOperation: async () => ({ atRest: true }) },
    lanes: { listStoredOperations: () => assert.fail("nobody asks what runs beside") },
    children: {
      acceptSubjectOperation: () => assert.fail("nobody begins one"),
      getStoredOperation: () => assert.fail("nobody looks at one"),
    },
    scheduler: { selectDestinations: async () => SelectDestinationsResponse.fromPartial({}) },
    groups: someGroup(),
    instances: { listInstances: async () => ({ rows: [], more: false }) },
    clock: { now: () => 0n, sleep: async () => undefined },
    holdings: { releaseHoldings: async () => ({}) },
    placement: {
      claimAllocations: async () => ({
        consumerGeneration: 1n,
        revision: 1n,
        consumerGenerations: new Map(),
      }),
      releaseAllocations: async () => ({ released: true }),
    },
    moves: {
      claimAllocations: () => assert.fail("nothing moves"),
      revertAllocations: () => assert.fail("nothing moves"),
      releaseAllocations: () => assert.fail("nothing moves"),
      getAllocations: () => assert.fail("nothing moves"),
    },
    migrations: {
      getMigration: () => assert.fail("nothing moves"),
      listMigrations: async () => ({ rows: [], more: false }),
    },
    addresses: { of: () => assert.fail("nobody speaks to another host") },
  };
}

describe("build-guest", () => {
  const call = () => aCall({ steps: [finished(claimedHost, { index: 0, host: hostOf("a") })] });
  const run = (answer: Partial<CommandResult>) => buildGuest(agentThat(() => answer)).run(call());
  it("parks while the agent is at it", async () => {
    const result = await run({ phase: CommandPhase.COMMAND_PHASE_STARTED });
    assert.deepEqual([result.kind, result.kind === "park" && result.signal], ["park", "agent-report"]);
  });
  it("tries another host when this one fails, but not when no host would do", async () => {
    const failing = (errorReason: string) =>
      run({ phase: CommandPhase.COMMAND_PHASE_FAILED, errorReason, errorMessage: "m" });
    const hardware = await failing("HYPERVISOR_FAILED"),
      image = await failing("IMAGE_REFUSED");
    assert.deepEqual(
      [hardware.kind === "fail" && hardware.backTo, image.kind === "fail" && image.backTo],
      ["claim-host", ""],
    );
  });
  it("stops at once when a newer command took over", () =>
    assert.rejects(run({ phase: CommandPhase.COMMAND_PHASE_FAILED, errorReason: "COMMAND_SUPERSEDED" }), {
      reason: "FENCE_LOST",
    }));
});

describe("destroy-guest", () => {
  it("goes wherever the guest may be: the record's host and those that the victim claimed", () => {
    const steps = [
      finished(selectedHosts, { hosts: [hostOf("a"), hostOf("never")] }),
      finished(claimedHost, { index: 0, host: hostOf("a") }, "undone"),
      finished(claimedHost, { index: 2, host: hostOf("c") }),
    ];
    const server = aServer({
      id: SERVER,
      hostInfo: {
        host: "r",
        node: "",
        instanceName: "",
        cell: "cell1",
        computeNodeUuid: "",
        launchedOn: "",
        kernelId: "",
        ramdiskId: "",
        rootDeviceName: "",
      },
    });
    const call = aCall({
      instance: { server },
      operation: { preempts: `operations/${SERVER}/${OPERATION}`, preemptedSteps: steps },
    });
    assert.deepEqual(
      hostsTouched(call).map(({ host }) => host),
      ["r", "a", "c"],
    );
  });
  it("goes to both ends of a move that nobody has decided on", () => {
    const move = MigrationRecord.fromPartial({
      source: { host: "s", cell: "cell1" },
      target: { host: "t" },
    });
    assert.deepEqual(hostsTouched(aCall(), [move]), [
      { cell: "cell1", host: "s" },
      { cell: "cell1", host: "t" },
    ]);
  });
  it("goes where victims of other lanes had been as well", () => {
    const steps = [finished(claimedHost, { index: 0, host: hostOf("b") })];
    const name = `operations/${SERVER}/${OPERATION}`;
    const call = aCall({
      operation: {
        alsoPreempted: [
          { name, kind: "test.kind", input: Buffer.alloc(0), steps, otherFields: Buffer.alloc(0) },
        ],
      },
    });
    assert.deepEqual(
      hostsTouched(call).map(({ host }) => host),
      ["b"],
    );
  });
  const onHost = () =>
    aCall({
      instance: {
        server: aServer({
          id: SERVER,
          hostInfo: {
            host: "r",
            node: "",
            instanceName: "",
            cell: "cell1",
            computeNodeUuid: "",
            launchedOn: "",
            kernelId: "",
            ramdiskId: "",
            rootDeviceName: "",
          },
        }),
      },
    });
  const silent = (up: boolean): Ports => ({
    ...agentThat(() => ({}), up),
    agents: {
      at: async () => {
        throw CommonErrors.UNAVAILABLE({ what: "The agent" });
      },
      isUp: async () => up,
    },
  });
  it("leaves the guest of a dead host to its agent's return", async () =>
    assert.equal((await destroyGuest(silent(false)).run(onHost())).kind, "done"));
  it("insists on a host that lives", () =>
    assert.rejects(destroyGuest(silent(true)).run(onHost()), { kind: "unavailable" }));
});
