import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CommitStepResponse } from "../../gen/kilonova/cells/v1/operations_service.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import type { DbSample } from "../../pkg/platform/db/index.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf } from "../crash/requests.js";

/** What a conductor stores, and what it is answered: counted, so that a commit more is noticed. */
describe("a conductor's commits", function () {
  this.timeout(120_000);
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const samples: DbSample[] = [];
  const answers: CommitStepResponse[] = [];
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`lean_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("lean"),
      hosts: ["lean"],
      neutron,
      // Nobody takes an operation over, and nobody looks for old copies, however slow the machine is.
      conductor: { ownershipMs: 60_000, dormantMs: 600_000 },
      dbMetrics: { observe: (sample) => samples.push(sample) },
      tap: {
        around: async (_ctx, method, call) => {
          const answer = await call();
          if (method === "commitStep") answers.push(answer as CommitStepResponse);
          return answer;
        },
      },
    });
  });
  after(() => cloud.close());

  const forgetAll = (): void => {
    samples.length = 0;
    answers.length = 0;
  };
  const statements = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { name } of samples)
      if (name === "operations.commit-step" || (name.startsWith("handover.") && name !== "handover.list"))
        counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  const bytes = (): number =>
    answers.reduce((sum, answer) => sum + CommitStepResponse.encode(answer).finish().length, 0);

  it("are one for each step of a boot that has something to store", async () => {
    const id = randomUUID();
    forgetAll();
    await boot(cloud, { ids: [id], networks: [{ networkId: network.id }] });
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    assert.deepEqual(statements(), {
      // The choice, the ports and the guest: the claim goes with the hand-over.
      "operations.commit-step": 3,
      "handover.prepare": 1,
      "handover.commit": 1,
      "handover.activate": 1,
      "handover.leave": 1,
    });
  });

  it("are answered with the record only where the conductor goes on with an older one", () => {
    assert.deepEqual(
      answers.map(({ instance }) => instance !== undefined),
      [false, true, false],
      "the choice changes no record, the ports do, and after the guest nobody goes on",
    );
    const record = answers[1]?.instance;
    assert.equal(record?.server?.generation, answers[1]?.generation);
    assert.equal(record?.ports.length, 1);
  });

  it("are answered with a few bytes where nothing of the record changes", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    await ended(cloud, id);
    forgetAll();
    await act(cloud, id, operationOf("server.stop"));
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_STOPPED);
    assert.ok(answers.length > 0);
    assert.ok(bytes() <= 8 * answers.length, `${bytes()} bytes in ${answers.length} answers`);
  });
});
