import assert from "node:assert/strict";
import { join } from "node:path";
import { FindDeletedInstancesResponse } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { CommandHeader } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { LogFields } from "../../kernel/logger.js";
import { CommonErrors } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { processFolder } from "../../testkit/scratch.js";
import { pieceOf } from "../drivers/disk-pieces.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { Commands } from "./commands.js";
import { removeDeletedGuests } from "./deleted-guests.js";
import { commandHost } from "./command-host.js";
import { Journal } from "./journal.js";
import { noDisks, noImages, noPlumbing, noUploads } from "./ports.js";

const FENCE = 5n;

interface Bench {
  readonly driver: FakeDriver;
  readonly commands: Commands;
  readonly id: string;
  readonly unplugged: string[];
  readonly asked: (readonly string[])[];
  readonly events: string[];
  removed(): number;
  header(fence: bigint): CommandHeader;
  /** What an audit does. @param records  servers that the cell has on this host */
  look(
    answer: "deleted" | "elsewhere" | "silent" | "unreachable",
    records?: readonly string[],
  ): Promise<void>;
}

describe("removeDeletedGuests", () => {
  let b: Bench;
  let journal: Journal;

  beforeEach(async () => {
    const driver = new FakeDriver({ hostname: "host1" });
    const spec = aGuestSpec();
    const id = spec.instanceUuid;
    const opened = await Journal.open(join(processFolder("journal"), "journal"), Date.now());
    journal = opened.journal;
    const commands = new Commands(journal, opened.entries, async () => {});
    const [unplugged, asked, events]: [string[], (readonly string[])[], string[]] = [[], [], []];
    const plumbing = {
      ...noPlumbing,
      unplug: async (_ctx: unknown, _ports: unknown, serverId: string) => {
        unplugged.push(serverId);
      },
    };
    const vendorData = {
      hasFixed: false,
      fixed: async () => undefined,
      dynamic: async () => new Map<string, never>(),
    };
    const own = commandHost({
      driver,
      vendorData,
      images: noImages,
      uploads: noUploads,
      disks: noDisks,
      plumbing,
      domain: "",
      randomSeedOf: () => new Uint8Array(),
    });
    const base = testCtx().log;
    const note = (event: string, fields?: LogFields): void => {
      if (fields?.["instanceUuid"] === id) events.push(event);
    };
    const ctx = testCtx({ log: { ...base, info: note, warn: note, error: note } });
    await driver.start(ctx);
    await driver.define(ctx, spec);
    await driver.powerOn(ctx, id);
    let removed = 0;
    b = {
      driver,
      commands,
      id,
      unplugged,
      asked,
      events,
      removed: () => removed,
      header: (fence) => ({
        commandId: `c${fence}`,
        operation: `operations/${id}/o`,
        fence,
        serverId: id,
        host: "host1",
        waitMs: 5000,
        lane: "life",
        closesLanes: false,
      }),
      look: (answer, records = []) =>
        removeDeletedGuests(
          ctx,
          {
            host: "host1",
            cell: "cell1",
            own,
            commands,
            removed: () => {
              removed++;
            },
            cells: {
              findDeletedInstances: async (_ctx, { serverIds = [] }) => {
                asked.push(serverIds.map(String));
                if (answer === "unreachable") throw CommonErrors.UNAVAILABLE({ what: "cells" });
                const all = serverIds.map((serverId) => ({ serverId: String(serverId), fence: FENCE }));
                return FindDeletedInstancesResponse.create({
                  deleted: answer === "deleted" ? all : [],
                  elsewhere: answer === "elsewhere" ? all : [],
                });
              },
            },
          },
          records.map((serverId) => InstanceRecord.fromPartial({ server: { id: serverId } })),
        ),
    };
  });
  afterEach(() => journal.close());

  const kept = (): void => {
    assert.equal(b.driver.guest(b.id)?.powerState, "RUNNING");
    assert.deepEqual([b.unplugged, b.removed()], [[], 0]);
  };

  it("removes a guest whose record is deleted, with its ports, and says so", async () => {
    await b.look("deleted");
    assert.equal(b.driver.guest(b.id), undefined);
    assert.deepEqual([b.unplugged, b.removed(), b.events], [[b.id], 1, ["agent.guest.removed"]]);
  });

  it("keeps and logs a guest of which the cell proves nothing: unknown, erased, or living elsewhere", async () => {
    await b.look("silent");
    await b.look("elsewhere");
    kept();
    assert.deepEqual(b.events, ["agent.guest.unrecorded", "agent.guest.unrecorded"]);
  });

  /** Has the guest be one of which only half has come from another host. */
  const breakOff = async (): Promise<void> => {
    await b.driver.remove(testCtx(), b.id);
    const spec = { ...aGuestSpec(), instanceUuid: b.id };
    const disk = { name: "root", format: "raw", sizeBytes: 512, dataBytes: 512 } as const;
    const broken = b.driver.importDisks(testCtx(), spec, {
      transferId: "t",
      disks: [disk],
      async *open() {
        yield pieceOf(0, new Uint8Array(256).fill(1));
        throw CommonErrors.UNAVAILABLE({ what: "The other host" });
      },
    });
    await assert.rejects(broken, { reason: "UNAVAILABLE" });
  };

  it("removes what has come of a guest that was on its way here, and says nothing of one that still is", async () => {
    await breakOff();
    await b.look("silent");
    assert.deepEqual([await b.driver.listUnfinished(testCtx()), b.events], [[b.id], []]);
    await b.look("deleted");
    assert.deepEqual([await b.driver.listUnfinished(testCtx()), b.removed()], [[], 1]);
  });

  it("keeps it when a newer operation than the record's has commanded it", async () => {
    await breakOff();
    await b.commands.run(testCtx(), b.header(FENCE + 1n), async () => new Uint8Array());
    await b.look("elsewhere");
    assert.deepEqual([await b.driver.listUnfinished(testCtx()), b.removed()], [[b.id], 0]);
  });

  it("removes it as well when its server lives elsewhere", async () => {
    await breakOff();
    await b.look("elsewhere");
    assert.deepEqual([await b.driver.listUnfinished(testCtx()), b.removed()], [[], 1]);
    assert.deepEqual(b.events, ["agent.guest.removed"]);
  });

  it("keeps what has become a guest since it was listed, when its server lives elsewhere", async () => {
    const listed = [[b.id], []];
    b.driver.listUnfinished = async () => listed.shift() ?? [];
    await b.look("elsewhere");
    assert.deepEqual([listed, b.events], [[], []]);
    kept();
  });

  it("keeps everything when the cell cannot be reached", async () => {
    await assert.rejects(b.look("unreachable"), { reason: "UNAVAILABLE" });
    kept();
  });

  it("does not even ask about a guest that has its record on this host", async () => {
    await b.look("deleted", [b.id]);
    kept();
    assert.deepEqual(b.asked, []);
  });

  it("keeps a guest on which a command runs, and removes it after that", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const running = b.commands.run(testCtx(), b.header(FENCE), async () => {
      await held;
      return new Uint8Array();
    });
    await b.look("deleted");
    kept();
    release();
    await running;
    await b.look("deleted");
    assert.equal(b.driver.guest(b.id), undefined);
  });

  it("keeps a guest that a newer operation than the record's has commanded", async () => {
    await b.commands.run(testCtx(), b.header(FENCE + 1n), async () => new Uint8Array());
    await b.look("deleted");
    kept();
  });

  it("lets no older command bring the guest back", async () => {
    await b.look("deleted");
    await assert.rejects(
      b.commands.run(testCtx(), b.header(FENCE - 1n), async () => new Uint8Array()),
      { reason: "FENCE_LOST" },
    );
  });

  it("tries again at the next audit what failed", async () => {
    b.driver.rules.add({
      method: "remove",
      times: 1,
      fail: { reason: "BUSY", message: "The disk is busy." },
    });
    await b.look("deleted");
    kept();
    assert.deepEqual(b.events, ["agent.guest.removal-failed"]);
    await b.look("deleted");
    assert.equal(b.driver.guest(b.id), undefined);
  });
});
