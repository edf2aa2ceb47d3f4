import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readOptions } from "../../cmd/kilonova/up/options.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { LANE_SHIFTS, OFFSET_STEP } from "../e2e/support/lane-offset.js";

describe("ports of the lanes of a suite", () => {
  const ports = Object.values(readOptions({}, undefined, "/").ports);

  it("never meet, whatever offsets the files of two lanes have", () => {
    // Two clouds meet when a port of one plus its offset is a port of the other plus its own.
    const apart = new Set(ports.flatMap((a) => ports.map((b) => mod(a - b))));
    for (const [lane, shift] of LANE_SHIFTS.entries())
      for (const other of LANE_SHIFTS.slice(0, lane))
        assert.ok(!apart.has(mod(shift - other)), `lanes with the shifts ${shift} and ${other} meet`);
  });
});

describe("test/lanes.json", () => {
  const { early, quiet } = JSON.parse(readFileSync(join(packageRoot(), "test/lanes.json"), "utf8")) as {
    readonly early: readonly string[];
    readonly quiet: Readonly<Record<string, string>>;
  };

  it("names files that are there, and says why those that are alone want to be", () => {
    const gone = [...early, ...Object.keys(quiet)].filter((file) => !existsSync(join(packageRoot(), file)));
    assert.deepEqual(gone, []);
    assert.deepEqual(
      Object.entries(quiet).filter(([, why]) => why.trim() === ""),
      [],
    );
  });
});

const mod = (difference: number): number => ((difference % OFFSET_STEP) + OFFSET_STEP) % OFFSET_STEP;
