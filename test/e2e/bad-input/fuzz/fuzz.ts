import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { until } from "../../../../pkg/testkit/until.js";
import { mapLimit } from "../../../../pkg/kernel/index.js";
import { UNSETTLED, contradictions } from "../consistency.js";
import type { Stage } from "../stage.js";
import { GrpcFuzzer } from "./grpc-fuzzer.js";
import { RestFuzzer } from "./rest-fuzzer.js";

const REST_REQUESTS = 14_000;
const GRPC_CALLS = 6_000;
const AT_ONCE = 8;
const PEAK_MIB = 1536;
const SHOWN = 20;

/** The same run each time, so that a red suite means a change; other seeds are for who goes looking. */
const SEED = 868_858_225;

/** Twenty thousand requests that nearly fit. FUZZ_SEED makes other ones, FUZZ_COUNT more or fewer. */
export function fuzz(stage: Stage): void {
  const seed = Number(process.env["FUZZ_SEED"] ?? SEED);
  const share =
    Number(process.env["FUZZ_COUNT"] ?? REST_REQUESTS + GRPC_CALLS) / (REST_REQUESTS + GRPC_CALLS);
  const each = async (count: number, run: (seed: number) => Promise<string>): Promise<void> => {
    const wrong = (
      await mapLimit(
        Array.from({ length: Math.max(1, Math.round(count * share)) }, (_, i) => seed + i),
        AT_ONCE,
        run,
      )
    ).filter(Boolean);
    assert.equal(
      wrong.length,
      0,
      `${wrong.length} answers are wrong; the run began with seed ${seed}:\n${wrong.slice(0, SHOWN).join("\n")}`,
    );
  };

  before(() => {
    console.log(`      fuzzing from seed ${seed}`);
  });

  it(`answers ${REST_REQUESTS} REST requests as it should, whatever they are`, async () => {
    const fuzzer = new RestFuzzer(stage);
    await each(REST_REQUESTS, (one) => fuzzer.run(one));
  });

  it(`answers ${GRPC_CALLS} calls as it should, whatever they are`, async () => {
    const fuzzer = new GrpcFuzzer(stage);
    await each(GRPC_CALLS, (one) => fuzzer.run(one)).finally(() => fuzzer.close());
  });

  it("took no more memory than it should", () => {
    const peak =
      Number(
        /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${stage.cloud.pid}/status`, "utf8"))?.[1] ?? Infinity,
      ) / 1024;
    assert.ok(peak < PEAK_MIB, `${Math.round(peak)} MiB at most`);
  });

  it("left the databases without a contradiction", async () => {
    const unsettled = async (): Promise<number> =>
      (await stage.database.rows<{ count: number }>(UNSETTLED))[0]?.count ?? -1;
    await until(async () => (await unsettled()) === 0, {
      timeoutMs: 240_000,
      everyMs: 250,
      what: "everything to end",
    });
    assert.deepEqual(await contradictions(stage.database), []);
  });
}
