import assert from "node:assert/strict";
import { Metrics } from "../telemetry/index.js";
import { dbMetrics } from "./metrics.js";

describe("database metrics", () => {
  it("tell time and outcome of each call, and how often it ran again", async () => {
    const metrics = new Metrics();
    const db = dbMetrics(metrics);
    db.observe({ kind: "write", name: "instances.accept", attempts: 3, seconds: 0.02, outcome: "ok" });
    db.observe({ kind: "write", name: "instances.accept", attempts: 1, seconds: 0.02, outcome: "refused" });
    const text = await metrics.expose();
    assert.match(
      text,
      /^kilonova_db_duration_seconds_count\{kind="write",name="instances.accept",outcome="ok"\} 1$/m,
    );
    assert.match(
      text,
      /^kilonova_db_duration_seconds_bucket\{le="0.025",kind="write",name="instances.accept",outcome="refused"\} 1$/m,
    );
    assert.match(text, /^kilonova_db_reruns_total\{name="instances.accept"\} 2$/m);
  });
});
