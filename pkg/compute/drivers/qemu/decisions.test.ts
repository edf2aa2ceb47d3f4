import assert from "node:assert/strict";
import { uptimeLine } from "../host/uptime.js";
import { cpuInfo } from "./cpu-info.js";
import { checkSocketPath, guestPaths, interfaceSocketPath, runDirFor } from "./guest-paths.js";
import { judgeVanished } from "./run-record.js";
import type { RunRecord } from "./run-record.js";
import { powerStateOf, signalOf } from "./run-state.js";
import { driverTraits } from "./traits.js";

describe("QEMU driver: what became of a guest while no agent looked", () => {
  const process = { pid: 1, startTicks: "5", bootId: "boot-1" };
  const cases: readonly (readonly [RunRecord["phase"], bootId: string, expected: unknown])[] = [
    ["running", "boot-1", { now: "crashed", tell: "CRASHED" }],
    ["running", "boot-2", { now: "stopped", tell: "STOPPED" }],
    ["stopping", "boot-1", { now: "stopped" }],
    ["stopped", "boot-1", { now: "stopped" }],
    ["crashed", "boot-2", { now: "crashed" }],
  ];
  for (const [phase, bootId, expected] of cases) {
    it(`${phase}, ${bootId === "boot-1" ? "same boot" : "after a reboot"}`, () =>
      assert.deepEqual(
        judgeVanished(
          { version: 1, phase, ...(phase === "running" || phase === "stopping" ? { process } : {}) },
          bootId,
        ),
        expected,
      ));
  }
});

describe("QEMU driver: states and events", () => {
  for (const [state, power] of [
    ["running", "RUNNING"],
    ["paused", "PAUSED"],
    ["prelaunch", "PAUSED"],
    ["io-error", "PAUSED"],
    ["shutdown", "SHUTDOWN"],
    ["internal-error", "CRASHED"],
    ["guest-panicked", "CRASHED"],
    ["suspended", "SUSPENDED"],
    ["unknown", "NOSTATE"],
  ] as const) {
    it(`${state} is ${power}`, () => assert.equal(powerStateOf(state), power));
  }

  it("tells who shut the guest down", () => {
    const shutdown = (guest: boolean, reason: string): unknown =>
      signalOf({ event: "SHUTDOWN", data: { guest, reason } });
    assert.deepEqual(shutdown(true, "guest-shutdown"), { kind: "shutdown", byGuest: true, exits: false });
    assert.deepEqual(shutdown(false, "host-qmp-quit"), { kind: "shutdown", byGuest: false, exits: true });
    assert.deepEqual(shutdown(false, "host-signal"), { kind: "shutdown", byGuest: false, exits: true });
    assert.equal(signalOf({ event: "NIC_RX_FILTER_CHANGED", data: {} }), undefined);
  });
});

describe("QEMU driver: paths", () => {
  const [uuid, port] = ["6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11", "0a1b2c3d-4e5f-4000-8000-000000000001"];

  it("stays short however long the state folder's path is, and apart for two agents", () => {
    const [one, two] = ["/a".repeat(200), "/b".repeat(200)].map((dir) => runDirFor("/run", dir));
    assert.notEqual(one, two);
    for (const path of [
      interfaceSocketPath(one ?? "", uuid, port),
      guestPaths("/s", one ?? "", uuid).operatorSocket,
    ])
      assert.ok(path.length <= 107, path);
  });

  it("refuses paths that no socket can have", () => {
    assert.throws(() => checkSocketPath(`/${"x".repeat(107)}`));
    assert.throws(() => checkSocketPath("relative"));
    assert.equal(checkSocketPath(`/${"x".repeat(106)}`).length, 107);
  });
});

describe("QEMU driver: the host", () => {
  it("reads processors", () => {
    const block = (n: number, physical: number, core: number): string =>
      `processor\t: ${n}\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU: fast\nphysical id\t: ${physical}\ncore id\t\t: ${core}\nflags\t\t: sse fpu\n`;
    const info = cpuInfo([block(0, 0, 0), block(1, 0, 0), block(2, 0, 1), block(3, 0, 1)].join("\n"));
    assert.deepEqual(info, {
      arch: "x86_64",
      model: "Some CPU: fast",
      vendor: "Intel",
      features: ["fpu", "sse"],
      topology: { cells: 1, sockets: 1, cores: 2, threads: 2 },
    });
  });

  it("writes uptime like uptime(1)", () => {
    const at = new Date("2026-01-02T03:04:05Z");
    assert.equal(
      uptimeLine(at, 3 * 86_400 + 3_723, [0.1, 2, 3.456]),
      " 03:04:05 up 3 days,  1:02,  0 users,  load average: 0.10, 2.00, 3.46",
    );
    assert.equal(
      uptimeLine(at, 60, [0, 0, 0]),
      " 03:04:05 up  0:01,  0 users,  load average: 0.00, 0.00, 0.00",
    );
  });

  it("claims only CPU traits that guests get", () => {
    const traits = driverTraits(new Set(["sse4.2", "vaes"]));
    assert.ok(traits.includes("HW_CPU_X86_SSE42") && traits.includes("COMPUTE_NET_VIF_MODEL_NE2K_PCI"));
    assert.ok(!traits.includes("HW_CPU_X86_AVX512VAES") && !traits.includes("HW_CPU_X86_AVX2"));
    assert.ok(driverTraits(new Set(["vaes", "avx512f"])).includes("HW_CPU_X86_AVX512VAES"));
  });
});
