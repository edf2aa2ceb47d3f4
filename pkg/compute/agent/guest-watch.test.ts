import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import type { GuestState } from "../driver.js";
import { GuestWatch } from "./guest-watch.js";

const { VM_STATE_ACTIVE, VM_STATE_STOPPED, VM_STATE_PAUSED, VM_STATE_SUSPENDED, VM_STATE_SOFT_DELETED } =
  VmState;
const {
  POWER_STATE_RUNNING,
  POWER_STATE_SHUTDOWN,
  POWER_STATE_PAUSED,
  POWER_STATE_SUSPENDED,
  POWER_STATE_CRASHED,
  POWER_STATE_NOSTATE,
} = PowerState;

interface Told {
  readonly serverId?: string;
  readonly powerState?: PowerState;
}

function aWatch(verdict: { mustStop: boolean; fence: bigint } = { mustStop: false, fence: 0n }) {
  const guests: GuestState[] = [];
  const told: Told[] = [];
  const stops: string[] = [];
  const end = new AbortController();
  const hold = { until: Promise.resolve() };
  const cell = { away: false };
  const watch = new GuestWatch({
    host: "h",
    cell: "cell1",
    driver: { list: async () => guests, onEvent: () => {} },
    cells: {
      reportGuest: async (_ctx, { serverId, powerState }) => {
        if (cell.away) throw new Error("the cell is away");
        told.push({ serverId: serverId ?? "", powerState: powerState ?? POWER_STATE_NOSTATE });
        return verdict;
      },
    },
    stop: async (_ctx, serverId, fence) => {
      stops.push(`${serverId} ${fence}`);
      await hold.until;
    },
  });
  const running = watch.run(testCtx({ signal: end.signal, deadlineMs: undefined }));
  return {
    guests,
    told,
    stops,
    hold,
    cell,
    watch,
    end: async () => {
      end.abort();
      await running;
    },
  };
}

const record = (id: string, server: object): InstanceRecord =>
  InstanceRecord.fromPartial({ server: { id, ...server } });

describe("what an agent sees of its guests", () => {
  for (const [what, server, guest, isTold] of [
    ["as it should be", [VM_STATE_ACTIVE, POWER_STATE_RUNNING], "RUNNING", false],
    ["off although its server is active", [VM_STATE_ACTIVE, POWER_STATE_RUNNING], "SHUTDOWN", true],
    ["off, known to be, under an active server", [VM_STATE_ACTIVE, POWER_STATE_SHUTDOWN], "SHUTDOWN", true],
    ["paused by nobody", [VM_STATE_ACTIVE, POWER_STATE_RUNNING], "PAUSED", true],
    ["paused by nobody, known to be", [VM_STATE_ACTIVE, POWER_STATE_PAUSED], "PAUSED", false],
    ["ended under a paused server", [VM_STATE_PAUSED, POWER_STATE_CRASHED], "CRASHED", true],
    ["running although its server is stopped", [VM_STATE_STOPPED, POWER_STATE_SHUTDOWN], "RUNNING", true],
    [
      "running, known to be, under a stopped server",
      [VM_STATE_STOPPED, POWER_STATE_RUNNING],
      "RUNNING",
      true,
    ],
    ["crashed under a stopped server", [VM_STATE_STOPPED, POWER_STATE_SHUTDOWN], "CRASHED", false],
    ["suspended as its server", [VM_STATE_SUSPENDED, POWER_STATE_SUSPENDED], "SUSPENDED", false],
    ["running under a soft-deleted server", [VM_STATE_SOFT_DELETED, POWER_STATE_SHUTDOWN], "RUNNING", true],
    ["gone", [VM_STATE_ACTIVE, POWER_STATE_RUNNING], undefined, true],
    ["gone, known to be", [VM_STATE_STOPPED, POWER_STATE_NOSTATE], undefined, false],
  ] as const)
    it(`${isTold ? "tells" : "says nothing"} of one that is ${what}`, async () => {
      const { watch, guests, told, end } = aWatch();
      if (guest !== undefined) guests.push({ instanceUuid: "s", powerState: guest, pid: 1 });
      const [vmState, powerState] = server;
      await watch.compare(testCtx(), [record("s", { vmState, powerState })]);
      watch.note("last", { state: POWER_STATE_RUNNING, byGuest: false });
      await until(() => told.some(({ serverId }) => serverId === "last"));
      assert.equal(told.filter(({ serverId }) => serverId === "s").length, isTold ? 1 : 0);
      await end();
    });

  it("says nothing of one whose server something owns", async () => {
    const { watch, told, end } = aWatch();
    for (const owner of [{ currentOperation: "operations/s/o" }, { taskState: "powering-off" }])
      await watch.compare(testCtx(), [record("s", { vmState: VM_STATE_ACTIVE, ...owner })]);
    watch.note("last", { state: POWER_STATE_RUNNING, byGuest: false });
    await until(() => told.length > 0);
    assert.deepEqual(
      told.map(({ serverId }) => serverId),
      ["last"],
    );
    await end();
  });

  it("stops one that the cell says must not run, once at a time and under the cell's fence", async () => {
    const { watch, told, stops, hold, end } = aWatch({ mustStop: true, fence: 7n });
    let release = (): void => {};
    hold.until = new Promise((resolve) => {
      release = resolve;
    });
    watch.note("s", { state: POWER_STATE_RUNNING, byGuest: false });
    await until(() => stops.length === 1);
    watch.note("s", { state: POWER_STATE_RUNNING, byGuest: false });
    await until(() => told.length === 2);
    assert.deepEqual(stops, ["s 7"]);
    release();
    await end();
  });

  it("stops at most five at once, and the others after that", async function () {
    this.timeout(60_000);
    const { watch, stops, hold, end } = aWatch({ mustStop: true, fence: 7n });
    let release = (): void => {};
    hold.until = new Promise((resolve) => {
      release = resolve;
    });
    for (let n = 0; n < 7; n++) watch.note(`s${n}`, { state: POWER_STATE_RUNNING, byGuest: false });
    await until(() => stops.length === 5);
    release();
    await until(() => stops.length === 7);
    await end();
  });

  it("tells of a guest as it is, when it was started again before its end could be told", async () => {
    const { watch, guests, told, cell, end } = aWatch();
    guests.push(
      { instanceUuid: "restarted", powerState: "RUNNING", pid: 1 },
      { instanceUuid: "ended", powerState: "SHUTDOWN", pid: 0 },
    );
    cell.away = true;
    for (const id of ["restarted", "ended"]) watch.note(id, { state: POWER_STATE_SHUTDOWN, byGuest: true });
    cell.away = false;
    await until(() => told.length === 2);
    assert.deepEqual(told, [
      { serverId: "restarted", powerState: POWER_STATE_RUNNING },
      { serverId: "ended", powerState: POWER_STATE_SHUTDOWN },
    ]);
    await end();
  });

  it("tells why a guest could not be brought back up, unless it runs by now", async () => {
    const { watch, guests, told, end } = aWatch();
    guests.push(
      { instanceUuid: "down", powerState: "CRASHED", pid: 0 },
      { instanceUuid: "up", powerState: "RUNNING", pid: 1 },
    );
    const fault = { code: 500, message: "", details: "", reason: "NO_DISK" };
    for (const id of ["down", "up"]) watch.note(id, { state: POWER_STATE_SHUTDOWN, byGuest: false, fault });
    await until(() => told.length === 2);
    assert.deepEqual(
      told.map(({ powerState }) => powerState),
      [POWER_STATE_SHUTDOWN, POWER_STATE_RUNNING],
    );
    await end();
  });
});
