import assert from "node:assert/strict";
import {
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import type { Ctx } from "../../kernel/index.js";
import {
  CommonErrors,
  KilonovaError,
  endsBy,
  noteEnd,
  rootCtx,
  silentLogger,
  within,
} from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import { LocalNetwork, bindPart } from "./index.js";

const requestId = "req-11111111-2222-4333-8444-555555555555";

describe("deadlines inside one process", () => {
  let seen: Ctx[] = [];
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  const connect = (address: string) =>
    network.connect(address, { service: "gateway", host: "" }).client(KeyPairsServiceDefinition);
  network.listen("outer", [
    bindPart(KeyPairsServiceDefinition, {
      getKeyPair: (ctx, request) => {
        seen.push(ctx);
        return connect("inner").getKeyPair(ctx, request);
      },
    }),
  ]);
  network.listen("inner", [
    bindPart(KeyPairsServiceDefinition, {
      getKeyPair: async (ctx, { name }) => {
        seen.push(ctx);
        if (name === "slow") await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        return GetKeyPairResponse.fromPartial({});
      },
    }),
  ]);
  beforeEach(() => {
    seen = [];
  });

  it("are kept by one signal, however many calls stand behind each other", async () => {
    const ctx = rootCtx({ requestId, deadlineMs: Date.now() + 60_000 });
    await connect("outer").getKeyPair(ctx, { name: "k" });
    assert.notEqual(seen[0]?.signal, ctx.signal, "nobody said that the caller's signal ends in time");
    assert.equal(seen[1]?.signal, seen[0]?.signal);
    assert.equal(seen[1]?.deadlineMs, ctx.deadlineMs);
  });

  it("end calls whose caller's signal ends in time", async () => {
    const late = await within(rootCtx({ requestId }), 20, "The test", (ctx) =>
      connect("outer").getKeyPair(ctx, { name: "slow" }),
    ).catch((e: unknown) => e);
    assert.ok(late instanceof KilonovaError && late.kind === "deadline");
    assert.deepEqual(
      seen.map(({ signal }) => signal.aborted),
      [true, true],
    );
  });

  it("get a signal of their own when they are shorter than the caller's", async () => {
    const controller = new AbortController();
    noteEnd(controller.signal, Date.now() + 60_000);
    const ctx = rootCtx({ requestId, signal: controller.signal, deadlineMs: Date.now() + 20 });
    const late = await connect("inner")
      .getKeyPair(ctx, { name: "slow" })
      .catch((e: unknown) => e);
    assert.ok(late instanceof KilonovaError && late.kind === "deadline");
    assert.equal(controller.signal.aborted, false);
  });

  it("still let the caller give up", async () => {
    const controller = new AbortController();
    const deadlineMs = Date.now() + 60_000;
    noteEnd(controller.signal, deadlineMs);
    const call = connect("outer")
      .getKeyPair(rootCtx({ requestId, signal: controller.signal, deadlineMs }), { name: "slow" })
      .catch((e: unknown) => e);
    controller.abort(CommonErrors.CANCELLED({ what: "The test" }));
    const cancelled = await call;
    assert.ok(cancelled instanceof KilonovaError && cancelled.kind === "cancelled");
  });

  it("are known of a signal only up to the time that was noted", () => {
    const { signal } = new AbortController();
    assert.equal(endsBy(signal, Number.MAX_SAFE_INTEGER), false);
    noteEnd(signal, 1_000);
    assert.deepEqual(
      [endsBy(signal, 999), endsBy(signal, 1_000), endsBy(signal, 1_001)],
      [false, true, true],
    );
  });
});

describe("encoding with one writer", () => {
  it("is not disturbed by a message that cannot be encoded", async () => {
    const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
    network.listen("api", [
      bindPart(KeyPairsServiceDefinition, {
        getKeyPair: async (_ctx, { name }) =>
          name === "bad"
            ? ({
                keyPair: {
                  ...GetKeyPairResponse.fromPartial({ keyPair: { name } }).keyPair,
                  createdAt: { seconds: "never", nanos: 0 },
                },
              } as never)
            : GetKeyPairResponse.fromPartial({ keyPair: { name, publicKey: "x".repeat(100_000) } }),
      }),
    ]);
    const client = network.connect("api", { service: "gateway", host: "" }).client(KeyPairsServiceDefinition);
    const ctx = rootCtx({ requestId });
    const failed = await client.getKeyPair(ctx, { name: "bad" }).catch((e: unknown) => e);
    assert.ok(failed instanceof KilonovaError && failed.kind === "internal");
    const answers = await Promise.all(["a", "b"].map((name) => client.getKeyPair(ctx, { name })));
    assert.deepEqual(
      answers.map(({ keyPair }) => [keyPair?.name, keyPair?.publicKey.length]),
      [
        ["a", 100_000],
        ["b", 100_000],
      ],
    );
  });
});
