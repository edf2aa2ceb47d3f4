import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RebootGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { agentHandlers } from "../../compute/agent/service.js";
import { commandHost } from "../../compute/agent/command-host.js";
import { Commands } from "../../compute/agent/commands.js";
import { Journal } from "../../compute/agent/journal.js";
import { noDisks, noImages, noPlumbing, noUploads } from "../../compute/agent/ports.js";
import rebootGuest from "../../compute/commands/reboot-guest.js";
import { FakeDriver } from "../../compute/drivers/fake/index.js";
import { CommonErrors, silentLogger } from "../../kernel/index.js";
import { LocalNetwork, bindService } from "../../platform/rpc/index.js";
import { Metrics, noTracer } from "../../platform/telemetry/index.js";
import { park } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import changeServerPassword from "../ops/change-server-password.js";
import pauseServer from "../ops/pause-server.js";
import type { Ports } from "../ports.js";
import { SERVER, aCall, finished } from "../testing/a-call.js";
import { buildGuest } from "./build-guest.js";
import { claimedHost } from "./destinations.js";
import { guestStep } from "./guest-step.js";

const HOST = "h1";

/** A host's real agent with the fake driver, and a conductor's way to it. */
class Bench {
  readonly driver = new FakeDriver({ hostname: HOST });
  readonly #dir = mkdtempSync(join(tmpdir(), "kilonova-take-back-"));
  #network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  #journal: Journal | undefined;
  /** Whether the agent cannot be reached, and whether it counts as alive. */
  away = false;
  up = true;

  /** Starts the agent, or starts it again: it knows what its journal does. */
  async start(): Promise<void> {
    await this.#journal?.close();
    const { journal, entries } = await Journal.open(join(this.#dir, "journal"), Date.now());
    this.#journal = journal;
    const own = commandHost({
      driver: this.driver,
      images: noImages,
      uploads: noUploads,
      disks: noDisks,
      plumbing: noPlumbing,
      domain: "",
      randomSeedOf: () => new Uint8Array(),
      vendorData: { hasFixed: false, fixed: async () => undefined, dynamic: async () => new Map() },
    });
    const commands = new Commands(journal, entries, async () => {});
    this.#network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
    this.#network.listen("agent", [
      bindService(
        AgentServiceDefinition,
        agentHandlers({
          host: HOST,
          cell: "cell1",
          own,
          plumbing: noPlumbing,
          commands,
          epoch: () => 1n,
          attached: () => true,
        }),
      ),
    ]);
  }

  /** What agent steps ask for; nothing else of the world is touched by them. */
  get ports(): Ports {
    const agents: Ports["agents"] = {
      at: async () => {
        if (this.away) throw CommonErrors.UNAVAILABLE({ what: "The agent" });
        return this.#network
          .connect("agent", { service: "conductor", host: "" })
          .client(AgentServiceDefinition);
      },
      isUp: async () => this.up,
    };
    return { agents, agentWaitMs: 500 } as Ports;
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    rmSync(this.#dir, { recursive: true });
  }
}

describe("a command taken back by the conductor", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = new Bench();
    await bench.start();
  });
  afterEach(() => bench.close());

  const hostInfo = {
    host: HOST,
    node: "",
    instanceName: "",
    cell: "cell1",
    computeNodeUuid: "",
    launchedOn: "",
    kernelId: "",
    ramdiskId: "",
    rootDeviceName: "",
  };
  const host = { cell: "cell1", host: HOST, node: "", computeNodeId: "", zone: "", resources: [] };
  const call = (over: Partial<StepCall> = {}): StepCall => ({
    ...aCall({
      instance: {
        server: { ...aCall().server, hostInfo, flavor: { ...flavor } },
        spec: { name: "vm" },
        number: 1n,
      },
      steps: [finished(claimedHost, { index: 0, host })],
    }),
    ...over,
  });
  const flavor = { id: "1", name: "f", vcpus: 1, memoryMib: 64, rootGib: 1 } as StepCall["server"]["flavor"] &
    object;
  const build = (): Step => buildGuest(bench.ports);
  const reboot = (): Step =>
    guestStep<unknown, RebootGuestInput, never>(
      bench.ports,
      { ends: [] },
      {
        name: "reboot",
        event: "",
        timeoutMs: 1_000,
        command: rebootGuest,
        input: ({ instance }) => ({ instance, hard: true, softTimeoutMs: 0 }),
        power: PowerState.POWER_STATE_RUNNING,
      },
    );
  const undo = (step: Step, over?: Partial<StepCall>) => step.undo?.(call(over));
  const guest = () => bench.driver.guest(SERVER);

  it("is undone after it ran, as often as one likes, and runs no more, also after the agent's restart", async () => {
    assert.equal((await build().run(call())).kind, "done");
    assert.equal(guest()?.powerState, "RUNNING");
    for (let times = 0; times < 2; times++) assert.equal(await undo(build()), undefined);
    assert.equal(guest(), undefined);
    await bench.start();
    await undo(build());
    await assert.rejects(build().run(call()), { reason: "COMMAND_UNDONE" });
    assert.equal(guest(), undefined);
  });

  it("is undone before it came, and then never comes", async () => {
    await undo(build());
    await assert.rejects(build().run(call()), { reason: "COMMAND_UNDONE" });
    await bench.start();
    await assert.rejects(build().run(call()), { reason: "COMMAND_UNDONE" });
    assert.equal(guest(), undefined);
    assert.equal(
      (await build().run(call({ stepId: "next/round/1", fence: 2n }))).kind,
      "done",
      "the next round",
    );
  });

  it("is stopped by its undo while it runs", async () => {
    bench.driver.rules.add({ method: "powerOn", hang: true });
    assert.equal((await build().run(call())).kind, "park");
    assert.equal(guest()?.powerState, "SHUTDOWN");
    await undo(build(), { fence: 2n });
    assert.equal(guest(), undefined);
  });

  it("is undone in the end when its undo fails at first", async () => {
    await build().run(call());
    bench.driver.rules.add({ method: "remove", times: 1, fail: { reason: "BUSY", message: "busy" } });
    await assert.rejects(undo(build()) ?? assert.fail(), { kind: "unavailable" });
    assert.notEqual(guest(), undefined);
    await undo(build());
    assert.equal(guest(), undefined);
  });

  it("is stopped when it declares no undo, and leaves nothing running", async () => {
    await build().run(call());
    bench.driver.rules.add({ method: "reboot", delayMs: 600_000 });
    const id = "o/reboot/0";
    assert.equal((await reboot().run(call({ stepId: id, fence: 2n }))).kind, park("", 0).kind);
    await undo(reboot(), { stepId: id, fence: 3n });
    const ended = await reboot().run(call({ stepId: id, fence: 3n }));
    assert.ok(ended.kind === "fail");
    assert.equal(ended.error.reason, "COMMAND_CANCELLED");
    assert.equal(guest()?.starts, 1);
    bench.driver.rules.clear();
    await undo(reboot(), { stepId: "o/reboot/1", fence: 3n });
    await assert.rejects(reboot().run(call({ stepId: "o/reboot/1", fence: 3n })), {
      reason: "COMMAND_UNDONE",
    });
    assert.equal(guest()?.starts, 1);
  });

  it("is insisted on while its host lives, and left to a dead host's return", async () => {
    await build().run(call());
    bench.away = true;
    await assert.rejects(undo(build()) ?? assert.fail(), { kind: "unavailable" });
    await assert.rejects(undo(reboot()) ?? assert.fail(), { kind: "unavailable" });
    bench.up = false;
    await undo(build());
    await undo(reboot());
    assert.notEqual(guest(), undefined);
  });

  it("is not there to be taken back before a host was claimed", async () => {
    bench.away = true;
    assert.equal(await build().undo?.(aCall()), undefined);
  });

  it("is refused to whoever was overtaken", async () => {
    await build().run(call({ fence: 5n }));
    await assert.rejects(undo(build(), { fence: 4n }) ?? assert.fail(), { reason: "FENCE_LOST" });
    await assert.rejects(undo(reboot(), { fence: 4n }) ?? assert.fail(), { reason: "FENCE_LOST" });
    assert.notEqual(guest(), undefined);
    assert.equal(guest()?.powerState, "RUNNING");
  });
});

describe("a command that must not be cut off", () => {
  it("is known to the engine as one", () => {
    const deps = {
      ports: {} as Ports,
      factsOf: () => assert.fail(),
      maxAttempts: 1,
      maxDiskDevices: -1,
      precacheConcurrency: 1,
      reimageMsPerGib: 1,
    };
    assert.deepEqual(
      [changeServerPassword(deps), pauseServer(deps)].map(({ steps }) => steps.map((one) => one.finishes)),
      [[true], [false]],
    );
  });
});
