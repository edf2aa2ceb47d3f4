import assert from "node:assert/strict";
import { etcdInstalled } from "../../pkg/testkit/etcd.js";
import { rendered } from "../soak/report.js";
import { soak } from "../soak/run.js";

const SEED = 9;

/** A minute of what `npm run soak` does for twenty, without real guests. */
describe("random life while processes are killed", function () {
  this.timeout(900_000);

  it("leaves records, hypervisors, ports, placement and quota in agreement, and nothing behind", async function () {
    if (!etcdInstalled()) this.skip();
    const report = await soak({
      seed: SEED,
      seconds: 60,
      fakeServers: 10,
      fakeHosts: 2,
      realServers: 0,
      callers: 4,
      tell: (line) => console.log(`      ${line}`),
    });
    console.log(rendered(SEED, report));
    assert.deepEqual(report.wrong, []);
    assert.ok(report.steps > 50, "next to nothing was done: this proves nothing");
  });
});
