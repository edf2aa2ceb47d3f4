import assert from "node:assert/strict";
import { readOptions } from "../../cmd/kilonova/up/options.js";
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

const mod = (difference: number): number => ((difference % OFFSET_STEP) + OFFSET_STEP) % OFFSET_STEP;
