import assert from "node:assert/strict";
import { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ports } from "../ports.js";
import { OPERATION, SERVER } from "../testing/a-call.js";
import { FROM, TO, aMove, doneOf, statusesOf, tellingGroups } from "../testing/a-move.js";
import { confirmMove, stateBy } from "./confirm-move.js";
import { confirmMoves } from "./confirm-moves.js";
import { destroyHalf } from "./destroy-half.js";
import { ledOn, readRestingMigration } from "./resting-migration.js";
import { releaseAllocation } from "./release-allocation.js";
import { keepGuest, startKeptGuest } from "./start-kept-guest.js";
import { takeOverSource } from "./take-over-source.js";

const EARLIER = "e0000000-0000-4000-8000-000000000001";
const resting = { status: "finished" };

/** The same world, where the server has these migrations. */
const listing = (ports: Ports, ...migrations: readonly MigrationRecord[]): Ports => ({
  ...ports,
  migrations: {
    ...ports.migrations,
    listMigrations: async () => ({
      rows: migrations.map((migration) => ({ migration, pageToken: "" })),
      more: false,
    }),
  },
});
const { VM_STATE_ACTIVE, VM_STATE_STOPPED } = VmState;
const { POWER_STATE_RUNNING, POWER_STATE_SHUTDOWN } = PowerState;

describe("read-migration", () => {
  const both = { status: "reverting", needs: ["source", "target"] } as const;

  it("keeps what it has read for the steps after it, and leads the migration on", async () => {
    const { ports, ending, migration } = await aMove(resting);
    const { output, change } = doneOf(await readRestingMigration(ports, both).run(ending()));
    const { migration: encoded } = output as { migration: string };
    assert.deepEqual([statusesOf(change), encoded.length > 0], [["reverting"], true]);
    assert.equal(ledOn(ending()).source?.host, migration.source?.host);
  });

  it("begins nothing while a host is down that has to do its part", async () => {
    const { ports, ending, down } = await aMove(resting);
    down.add(FROM);
    const refused = await readRestingMigration(ports, both).run(ending());
    assert.equal(refused.kind === "fail" && refused.error.reason, "UNAVAILABLE");
    const { kind } = await readRestingMigration(ports, { status: "confirming", needs: ["target"] }).run(
      ending(),
    );
    assert.equal(kind, "done");
  });

  it("refuses a migration that has not finished", async () => {
    const { ports, ending } = await aMove({ status: "error" });
    const result = await readRestingMigration(ports, both).run(ending());
    assert.equal(result.kind === "fail" && result.error.reason, "INVALID_ARGUMENT");
  });
});

describe("destroy-guest of a move", () => {
  it("removes the guest at one end, and waits for a host that is down", async () => {
    const { ports, ending, sent, down } = await aMove(resting);
    doneOf(await destroyHalf(ports, { end: "source", event: "" }).run(ending()));
    doneOf(await destroyHalf(ports, { end: "target", event: "" }).run(ending()));
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [
        [FROM, "destroy-guest"],
        [TO, "destroy-guest"],
      ],
    );
    down.add(FROM);
    await assert.rejects(destroyHalf(ports, { end: "source", event: "" }).run(ending()), {
      kind: "unavailable",
    });
  });
});

describe("release-source", () => {
  it("frees the old host's place, and has the server be what its guest is", async () => {
    const { ports, ending, asked, migration } = await aMove(resting);
    for (let n = 0; n < 2; n++) {
      const { change } = doneOf(await confirmMove(ports).run(ending()));
      assert.deepEqual(
        [change?.set?.vmState, change?.set?.powerState, statusesOf(change)],
        [VM_STATE_ACTIVE, POWER_STATE_RUNNING, ["confirmed"]],
      );
    }
    const request = { consumerId: OPERATION, operation: migration.operation, fence: 1n };
    assert.deepEqual(asked, [
      { method: "releaseAllocations", request },
      { method: "releaseAllocations", request },
    ]);
    assert.equal(stateBy(POWER_STATE_SHUTDOWN), VM_STATE_STOPPED);
  });

  it("asks the host what the guest is, which its user may have started; else the record says it", async () => {
    const { ports, ending, down, server } = await aMove(resting);
    const call = ending({ instance: { server: { ...server, powerState: POWER_STATE_SHUTDOWN } } });
    const state = async () => doneOf(await confirmMove(ports).run(call)).change?.set?.vmState;
    assert.equal(await state(), VM_STATE_ACTIVE);
    down.add(FROM);
    assert.equal(await state(), VM_STATE_STOPPED);
  });

  it("frees what earlier moves keep of that host too, and of no other", async () => {
    const { ports, ending, asked, migration } = await aMove(resting);
    const earlier = { ...migration, id: EARLIER, operation: "earlier", status: "error" };
    const elsewhere = { ...earlier, id: SERVER, source: migration.target };
    const call = ending();
    doneOf(await confirmMove(listing(ports, migration, earlier, elsewhere)).run(call));
    assert.deepEqual(
      asked.map(({ request }) => "consumerId" in request && request.consumerId),
      [OPERATION, EARLIER],
    );
  });
});

describe("take-over-source", () => {
  it("has the server hold what its migration has kept", async () => {
    const { ports, ending, asked } = await aMove(resting);
    doneOf(await takeOverSource(ports).run(ending()));
    const { operation } = ending();
    const takeOvers = [{ consumerId: SERVER, fromConsumerId: OPERATION, consumerGeneration: 7n }];
    assert.deepEqual(asked, [
      { method: "claimAllocations", request: { operation: operation.name, fence: 1n, takeOvers } },
    ]);
  });

  it("tells the group where the server is again, which is no wish", async () => {
    const { ports, ending } = await aMove(resting);
    const { groups, told } = tellingGroups();
    const grouped = { instance: { spec: { serverGroupId: "g" } } };
    doneOf(await takeOverSource({ ...ports, groups }).run(ending(grouped)));
    const member = { serverGroupId: "g", serverId: SERVER, cell: "cell1", host: FROM, returns: true };
    assert.deepEqual(told, [member]);
  });
});

describe("the end of a revert", () => {
  it("has the old guest stay, then run again", async () => {
    const { ports, ending, sent } = await aMove(resting);
    doneOf(await keepGuest(ports).run(ending()));
    const { change } = doneOf(await startKeptGuest(ports).run(ending()));
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [
        [FROM, "keep-guest"],
        [FROM, "power-on-guest"],
      ],
    );
    assert.deepEqual(
      [change?.set?.vmState, change?.set?.powerState, statusesOf(change)],
      [VM_STATE_ACTIVE, POWER_STATE_RUNNING, ["reverted"]],
    );
  });

  it("leaves it off that was off, and one that does not start, with a fault", async () => {
    const off = await aMove({ ...resting, wasOff: true });
    const { change } = doneOf(await startKeptGuest(off.ports).run(off.ending()));
    assert.deepEqual([off.sent, change?.set?.vmState], [[], VM_STATE_STOPPED]);
    const broken = await aMove(resting);
    broken.failing.add("power-on-guest");
    const result = doneOf(await startKeptGuest(broken.ports).run(broken.ending()));
    const { vmState, powerState, fault } = result.change?.set ?? {};
    assert.deepEqual(
      [vmState, powerState, fault?.reason],
      [VM_STATE_STOPPED, POWER_STATE_SHUTDOWN, "HYPERVISOR_FAILED"],
    );
  });
});

describe("release-allocation", () => {
  it("frees what moves have kept too, and confirms the one that rests", async () => {
    const { ports, moving, asked, migration } = await aMove(resting);
    const { change } = doneOf(await releaseAllocation(ports).run(moving()));
    assert.deepEqual(
      asked.map(({ request }) => request),
      [
        { consumerId: SERVER, operation: "", fence: 1n },
        { consumerId: OPERATION, operation: migration.operation, fence: 1n },
      ],
    );
    assert.deepEqual(statusesOf(change), ["confirmed"]);
  });

  it("leaves a migration as it is that has ended", async () => {
    const { ports, moving } = await aMove({ status: "error" });
    assert.equal(doneOf(await releaseAllocation(ports).run(moving())).change, undefined);
  });
});

describe("confirm-moves", () => {
  /** What has taken over from an operation that led the move on. */
  const cutShort = (preemptedKind: string): Partial<StoredOperation> => ({
    preempts: `operations/${SERVER}/0b000000-0000-4000-8000-000000000001`,
    preemptedKind,
    preemptedInput: Buffer.from(EndMoveInput.encode({ migrationId: OPERATION }).finish()),
  });
  /** The server is where the move led. */
  async function moved(status: string, operation: Partial<StoredOperation> = {}) {
    const world = await aMove({ status });
    const server = {
      ...world.server,
      vmState: VmState.VM_STATE_RESIZED,
      powerState: POWER_STATE_RUNNING,
      hostInfo: { ...world.server.hostInfo, host: TO },
    };
    return { ...world, call: () => world.moving({}, { instance: { server }, operation }) };
  }

  it("frees the host that the server has left, and confirms the move", async () => {
    const { ports, call, sent, asked, migration } = await moved("finished");
    for (let n = 0; n < 2; n++) {
      const { change } = doneOf(await confirmMoves(ports).run(call()));
      assert.deepEqual([change?.set, statusesOf(change)], [{ vmState: VM_STATE_ACTIVE }, ["confirmed"]]);
    }
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [
        [FROM, "destroy-guest"],
        [FROM, "destroy-guest"],
      ],
    );
    const request = { consumerId: OPERATION, operation: migration.operation, fence: 1n };
    assert.deepEqual(asked[0], { method: "releaseAllocations", request });
  });

  it("does so after a confirmation that was taken over", async () => {
    const { ports, call, sent } = await moved("error", cutShort("server.confirm-resize"));
    const { change } = doneOf(await confirmMoves(ports).run(call()));
    assert.deepEqual([change?.set?.vmState, statusesOf(change)], [VM_STATE_ACTIVE, []]);
    assert.equal(sent.length, 1);
  });

  it("leaves the old host of a move alone that was cut short otherwise: it may have the only copy", async () => {
    for (const operation of [{}, cutShort("server.revert-resize")]) {
      const { ports, call, sent, asked } = await moved("error", operation);
      assert.equal(doneOf(await confirmMoves(ports).run(call())).change, undefined);
      assert.deepEqual([sent, asked], [[], []]);
    }
  });

  it("frees what earlier moves keep of that host too", async () => {
    const { ports, call, asked, migration } = await moved("finished");
    const earlier = { ...migration, id: EARLIER, status: "error", target: undefined };
    const { change } = doneOf(await confirmMoves(listing(ports, migration, earlier)).run(call()));
    assert.deepEqual(
      asked.map(({ request }) => "consumerId" in request && request.consumerId),
      [OPERATION, EARLIER],
    );
    assert.deepEqual(statusesOf(change), ["confirmed"]);
  });

  it("leaves the move to the server's deletion while the old host is down", async () => {
    const { ports, call, asked, down } = await moved("finished");
    down.add(FROM);
    assert.equal(doneOf(await confirmMoves(ports).run(call())).change, undefined);
    assert.deepEqual(asked, []);
  });

  it("touches nothing of a server that is where it was: what is there is the only copy", async () => {
    for (const [status, operation] of [
      ["finished", {}],
      ["error", {}],
      ["error", cutShort("server.confirm-resize")],
    ] as const) {
      const { ports, moving, sent, asked } = await aMove({ status });
      assert.equal(doneOf(await confirmMoves(ports).run(moving({}, { operation }))).change, undefined);
      assert.deepEqual([sent, asked], [[], []]);
    }
  });
});
