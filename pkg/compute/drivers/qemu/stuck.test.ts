import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { KilonovaError, rootCtx } from "../../../kernel/index.js";
import { scratchFolder } from "../../../testkit/scratch.js";
import { until } from "../../../testkit/until.js";
import { DriverErrors } from "../errors.js";
import { identify } from "../host/linux-process.js";
import type { Isolation } from "../host/isolation.js";
import type { ProcessIdentity } from "../host/linux-process.js";
import { aGuestSpec, aVolume } from "../testing/a-spec.js";
import { noIsolation } from "../testing/no-isolation.js";
import { processMarks } from "./argv.js";
import { monitorAt } from "./bridges/bridge.js";
import { HostBridges } from "./bridges/host-bridges.js";
import { toDefinition } from "./definition.js";
import type { Definition } from "./definition.js";
import type { Entry } from "./entry.js";
import { guestPaths, volumePaths } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";
import { reattach } from "./reattach.js";
import { writeRunRecord } from "./run-record.js";
import { withVolume } from "./volume-device.js";
import { plugMissingVolumes } from "./volumes.js";

const ctx = rootCtx({ requestId: "req-stuck" });
const silent = async (): Promise<never> => {
  throw DriverErrors.HYPERVISOR_SILENT({ step: "end" });
};
const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;

/** Processes that wait for their storage do not end, and those without a monitor hear nothing. */
describe("QEMU driver: what cannot be ended or told", () => {
  const folder = scratchFolder("stuck");
  let definition: Definition;
  let paths: GuestPaths;
  let child: ChildProcess | undefined;

  beforeEach(() => {
    const spec = aGuestSpec();
    const volume = { ...aVolume({ volumeId: "v1" }), readOnly: false, shared: false };
    definition = withVolume(toDefinition(spec, "pc-q35-7.2"), volume);
    paths = guestPaths(folder(), join(folder(), "run"), spec.instanceUuid);
    mkdirSync(paths.dir, { recursive: true });
  });
  afterEach(() => {
    child?.kill("SIGKILL");
    child = undefined;
  });

  /** A process that is taken for another one by its arguments. */
  const standIn = async (...marks: readonly string[]): Promise<ProcessIdentity> => {
    child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "--", ...marks], {
      stdio: "ignore",
    });
    await once(child, "spawn");
    return until(() => (child?.pid === undefined ? undefined : identify(child.pid)));
  };

  it("a guest that was being ended keeps nobody from starting, and is stopped once it has ended", async () => {
    const marks = processMarks(definition.spec.instanceUuid, paths);
    const process = await standIn(...marks);
    await writeRunRecord(paths.runRecord, { version: 1, phase: "stopping", process });
    const { running, tell } = await reattach(ctx, { quitTimeoutMs: 100 }, silent)(definition, paths);
    assert.ok(running);
    assert.deepEqual([running.endExpected, running.toldToExit, tell], [false, true, undefined]);
    child?.kill("SIGKILL");
    await running.gone;
  });

  const stuckDaemon = async (wait: "on" | "off"): Promise<void> => {
    const identity = await standIn(monitorAt(volumePaths(paths, "v1"), wait));
    const bridges = new HostBridges({
      config: { storageDaemon: "none", launchTimeoutMs: 1, iscsiInitiator: "", volumeFolders: [] },
      isolation: noIsolation as unknown as Isolation,
      onLost: () => {},
      endFound: silent,
    });
    const guest = { definition, paths };
    await bridges.adopt(ctx, [{ ...guest, isUp: true }]);
    await assert.rejects(bridges.ensure(ctx, guest, "v1"), reason("HYPERVISOR_SILENT"));
    child?.kill("SIGKILL");
    await until(() => identify(identity.pid) === undefined);
    await assert.rejects(bridges.ensure(ctx, guest, "v1"), reason("VOLUME_NOT_REACHABLE"));
  };

  it("a volume's daemon keeps nobody from starting, and its volume from being served twice", () =>
    stuckDaemon("on"));

  it("a volume's daemon that an earlier release has started is one, too", () => stuckDaemon("off"));

  it("a volume gets no daemon once the agent has hung up: the next one has looked, or is looking", async () => {
    const bridges = new HostBridges({
      config: { storageDaemon: "none", launchTimeoutMs: 1, iscsiInitiator: "", volumeFolders: [] },
      isolation: noIsolation as unknown as Isolation,
      onLost: () => {},
    });
    bridges.close();
    await assert.rejects(bridges.ensure(ctx, { definition, paths }, "v1"), reason("UNAVAILABLE"));
  });

  it("a guest without a monitor gets its volumes' daemons back, and nothing else", async () => {
    const running = {
      hears: false,
      powerState: "NOSTATE",
      execute: async (step: string) => {
        throw DriverErrors.MONITOR_CLOSED({ step });
      },
    };
    const entry = { definition, paths, running, last: "stopped", saved: undefined } as unknown as Entry;
    const served: string[] = [];
    const bridges = {
      ensure: async (_ctx: unknown, _guest: unknown, id: string) => void served.push(id),
    } as unknown as HostBridges;
    await plugMissingVolumes(ctx, entry, { bridges });
    assert.deepEqual(served, ["v1"]);
    await assert.rejects(plugMissingVolumes(ctx, entry, { bridges }, "v1"), reason("MONITOR_CLOSED"));
  });
});
