import assert from "node:assert/strict";
import { testCtx } from "../../../testkit/ctx.js";
import { FakeDriver } from "../../drivers/fake/index.js";
import type { ImageUse } from "../ports.js";
import type { Timestamp } from "../../../../gen/google/protobuf/timestamp.js";
import { isoMicros, parseIso } from "../../../kernel/index.js";
import { fromTimestamp } from "../../../model/wire-time.js";
import { fakeClock } from "../../../testkit/clock.js";
import { usageAudit } from "./usage-audit.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { deletedGuests } from "./deleted-guests.js";
import { commandMemory } from "./command-memory.js";
import { imageAgeing } from "./image-ageing.js";
import { periodicConfig } from "./options.js";
import type { PeriodicHost } from "./periodic-task.js";
import { periodicTasks } from "./tasks.js";

describe("the table of periodic tasks", () => {
  it("has Nova's intervals by default", () => {
    const config = periodicConfig.parse({});
    assert.deepEqual(
      periodicTasks.map(({ name, everyMs, atStart }) => [name, everyMs(config) / 1000, atStart]),
      [
        ["host-audit", 60, true],
        ["deleted-guests", 1_800, true],
        ["resume-guests", 0, true],
        ["power-sync", 600, true],
        ["image-ageing", 2_400, false],
        ["command-memory", 600, false],
        ["usage-audit", 0, false],
      ],
    );
  });

  it("takes 0 for a minute and -1 for never, as Nova does", () => {
    for (const [seconds, ms] of [
      [0, 60_000],
      [-1, 0],
      [7, 7_000],
    ]) {
      const config = periodicConfig.parse({
        syncPowerStateIntervalS: seconds,
        runningDeletedInstancePollIntervalS: seconds,
        imageCacheManagerIntervalS: seconds,
        journalCompactIntervalS: seconds,
      });
      for (const { name, everyMs } of periodicTasks)
        if (!["host-audit", "resume-guests", "usage-audit"].includes(name))
          assert.equal(everyMs(config), ms, name);
    }
  });

  it("names each once and says what it does", () => {
    assert.equal(new Set(periodicTasks.map(({ name }) => name)).size, periodicTasks.length);
    for (const { name, does } of periodicTasks) {
      assert.match(name, /^[a-z-]+$/);
      assert.notEqual(does, "");
    }
  });
});

const never = (): void => assert.fail("asks for another run");

describe("the removal of deleted guests", () => {
  const asksAgain = async (...taskStates: readonly string[]): Promise<boolean> => {
    const records = taskStates.map((taskState) => InstanceRecord.fromPartial({ server: { taskState } }));
    let asked = false;
    await deletedGuests.run(
      testCtx(),
      {
        instances: async () => records,
        own: { driver: { list: async () => [] } },
      } as unknown as PeriodicHost,
      () => {
        asked = true;
      },
    );
    return asked;
  };

  it("looks again soon while a deletion is under way, which may have left this host alone", async () => {
    assert.equal(await asksAgain("", "deleting"), true);
    assert.equal(await asksAgain("", "powering-off"), false);
  });
});

describe("the ageing of images", () => {
  const usesOf = async (config: object): Promise<ImageUse> => {
    const driver = Object.assign(new FakeDriver({ hostname: "h" }), {
      imagesInUse: () => new Set(["/base"]),
    });
    const asked: ImageUse[] = [];
    await imageAgeing.run(
      testCtx(),
      {
        images: { age: async (_ctx: unknown, use: ImageUse) => void asked.push(use) },
        own: { driver },
        config: periodicConfig.parse(config),
      } as unknown as PeriodicHost,
      never,
    );
    return asked[0] ?? assert.fail("nothing aged");
  };

  it("keeps what guests use, and what was asked for within the configured time", async () => {
    const use = await usesOf({ imageKeepHours: 2 });
    assert.deepEqual([await use.usedBy(), use.minAgeMs], [new Set(["/base"]), 7_200_000]);
  });

  it("removes nothing where that is turned off, but takes note of what is used", async () => {
    assert.equal((await usesOf({ removeUnusedBaseImages: false })).minAgeMs, Infinity);
  });
});

describe("the audit of usage", () => {
  it("tells the cell of each period once that is over", async () => {
    const clock = fakeClock(parseIso("2026-03-01T00:30:00") ?? assert.fail());
    const asked: string[] = [];
    let away = true;
    const host = {
      cell: "cell1",
      host: "h",
      clock,
      audited: { until: undefined },
      config: periodicConfig.parse({ instanceUsageAudit: true, instanceUsageAuditPeriod: "hour" }),
      cells: {
        recordUsageAudit: async (_ctx: unknown, { periodEnding }: { periodEnding: Timestamp }) => {
          if (away) throw new Error("away");
          asked.push(isoMicros(fromTimestamp(periodEnding)).slice(0, 16));
          return { taskItems: 3, isNew: true };
        },
      },
    } as unknown as PeriodicHost;
    assert.equal(usageAudit.everyMs(host.config), 60_000);
    await assert.rejects(usageAudit.run(testCtx(), host, never));
    away = false;
    for (let minute = 0; minute < 60; minute++) {
      await usageAudit.run(testCtx(), host, never);
      await clock.advance(60_000);
    }
    assert.deepEqual(asked, ["2026-03-01T00:00", "2026-03-01T01:00"]);
  });
});

describe("the memory of commands", () => {
  it("is cut before the journal is written anew", async () => {
    const did: string[] = [];
    await commandMemory.run(
      testCtx(),
      {
        commands: { prune: (ms: number) => void did.push(`prune ${ms}`) },
        compactJournal: async () => void did.push("compact"),
      } as unknown as PeriodicHost,
      never,
    );
    assert.deepEqual(did, ["prune 86400000", "compact"]);
  });
});
