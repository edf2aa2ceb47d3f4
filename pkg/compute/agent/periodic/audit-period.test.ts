import assert from "node:assert/strict";
import { isoMicros, parseIso } from "../../../kernel/index.js";
import { AUDIT_PERIOD, lastCompletedPeriod } from "./audit-period.js";

describe("the last period that is over", () => {
  for (const [period, now, beginning, ending] of [
    ["month", "2026-11-29T21:00:00", "2026-10-01T00:00:00", "2026-11-01T00:00:00"],
    ["month", "2026-01-01T00:00:00", "2025-11-01T00:00:00", "2025-12-01T00:00:00"],
    ["month", "2026-01-01T00:00:00.000001", "2025-12-01T00:00:00", "2026-01-01T00:00:00"],
    ["month@15", "2026-03-14T23:59:59", "2026-01-15T00:00:00", "2026-02-15T00:00:00"],
    ["month@0", "2026-03-14T23:59:59", "2026-02-01T00:00:00", "2026-03-01T00:00:00"],
    ["year", "2026-11-29T21:00:00", "2025-01-01T00:00:00", "2026-01-01T00:00:00"],
    ["year@3", "2026-02-28T00:00:00", "2024-03-01T00:00:00", "2025-03-01T00:00:00"],
    ["day", "2026-03-01T00:00:00", "2026-02-27T00:00:00", "2026-02-28T00:00:00"],
    ["day@18", "2026-03-01T17:00:00", "2026-02-27T18:00:00", "2026-02-28T18:00:00"],
    ["day@18", "2026-03-01T19:00:00", "2026-02-28T18:00:00", "2026-03-01T18:00:00"],
    ["hour", "2026-03-01T00:30:00", "2026-02-28T23:00:00", "2026-03-01T00:00:00"],
    ["hour@45", "2026-03-01T00:30:00", "2026-02-28T22:45:00", "2026-02-28T23:45:00"],
  ] as const)
    it(`of ${period} is ${beginning} to ${ending} at ${now}`, () => {
      const found = lastCompletedPeriod(period, parseIso(now) ?? assert.fail());
      assert.deepEqual(
        [isoMicros(found.beginning), isoMicros(found.ending)],
        [`${beginning}.000000`, `${ending}.000000`],
      );
    });

  it("is asked for in Nova's words, within what every month, day and hour has", () => {
    for (const good of ["hour", "hour@0", "hour@59", "day@23", "month@28", "year@12"])
      assert.match(good, AUDIT_PERIOD);
    for (const bad of ["", "week", "hour@60", "day@24", "month@29", "year@13", "month@", "day@-1"])
      assert.doesNotMatch(bad, AUDIT_PERIOD);
  });
});
