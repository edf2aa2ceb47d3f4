import assert from "node:assert/strict";
import { join } from "node:path";
import type { CommandHeader } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { testCtx } from "../../testkit/ctx.js";
import { processFolder } from "../../testkit/scratch.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { commandHost } from "./command-host.js";
import { Commands } from "./commands.js";
import { Journal } from "./journal.js";
import { noDisks, noImages, noPlumbing, noUploads } from "./ports.js";
import { stopGuest } from "./stop-guest.js";

const FENCE = 5n;

describe("stopping a guest whose server is stopped", () => {
  let journal: Journal;
  let driver: FakeDriver;
  let commands: Commands;
  let id: string;
  const noted: PowerState[] = [];

  beforeEach(async () => {
    const ctx = testCtx();
    const spec = aGuestSpec();
    id = spec.instanceUuid;
    driver = new FakeDriver({ hostname: "h" });
    await driver.start(ctx);
    await driver.define(ctx, spec);
    await driver.powerOn(ctx, id);
    const opened = await Journal.open(join(processFolder("stop-guest"), "journal"), Date.now());
    journal = opened.journal;
    commands = new Commands(journal, opened.entries, async () => {});
    noted.length = 0;
  });
  afterEach(() => journal.close());

  const stop = (fence = FENCE): Promise<void> =>
    stopGuest(
      testCtx(),
      {
        commands,
        note: (_id, { state }) => noted.push(state),
        own: commandHost({
          driver,
          images: noImages,
          uploads: noUploads,
          disks: noDisks,
          plumbing: noPlumbing,
          domain: "",
          vendorData: {
            hasFixed: false,
            fixed: async () => undefined,
            dynamic: async () => new Map<string, never>(),
          },
          randomSeedOf: () => new Uint8Array(),
        }),
      },
      { serverId: id, fence },
    );
  const header = (fence: bigint, lane = "life"): CommandHeader => ({
    commandId: `c${fence}${lane}`,
    operation: `operations/${id}/o`,
    fence,
    serverId: id,
    host: "h",
    waitMs: 5_000,
    lane,
    closesLanes: false,
  });
  const nothing = async (): Promise<Uint8Array> => new Uint8Array();

  it("powers it off and tells the cell", async () => {
    await stop();
    assert.equal(driver.guest(id)?.powerState, "SHUTDOWN");
    assert.deepEqual(noted, [PowerState.POWER_STATE_SHUTDOWN]);
  });

  it("leaves it to a newer command, and lets no older one follow", async () => {
    await commands.run(testCtx(), header(FENCE + 1n), nothing);
    await stop();
    assert.equal(driver.guest(id)?.powerState, "RUNNING");
    assert.deepEqual(noted, []);
    await stop(FENCE + 1n);
    await assert.rejects(commands.run(testCtx(), header(FENCE), nothing), { reason: "FENCE_LOST" });
  });

  it("leaves it to a command that runs", async () => {
    let release = (): void => {};
    const running = commands.run(testCtx(), header(FENCE), async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return new Uint8Array();
    });
    await stop();
    assert.equal(driver.guest(id)?.powerState, "RUNNING");
    release();
    await running;
  });

  it("does not get in the way of another lane, before it or after it", async () => {
    let release = (): void => {};
    const running = commands.run(testCtx(), header(FENCE - 2n, "interfaces"), async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return new Uint8Array();
    });
    await stop();
    assert.equal(driver.guest(id)?.powerState, "SHUTDOWN");
    release();
    await running;
    await commands.run(testCtx(), { ...header(FENCE - 2n, "interfaces"), commandId: "next" }, nothing);
  });

  it("fails when it cannot be powered off, and can be tried again", async () => {
    driver.rules.add({ method: "powerOff", times: 1, fail: { reason: "STUCK", message: "It is stuck." } });
    await assert.rejects(stop(), { reason: "STUCK" });
    await stop();
    assert.equal(driver.guest(id)?.powerState, "SHUTDOWN");
  });
});
