import assert from "node:assert/strict";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import {
  EventsServiceDefinition,
  WatchEventsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import {
  CreateKeyPairResponse,
  DeleteKeyPairResponse,
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
  ListKeyPairsResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import type { Ctx, Peer } from "../../kernel/index.js";
import {
  KilonovaError,
  anonymous,
  defineErrors,
  isAwaited,
  noSpan,
  rootCtx,
  silentLogger,
} from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import { Metrics, createTracer } from "../telemetry/index.js";
import type { Channel, ServiceBinding } from "./index.js";
import { LocalNetwork, bindContract, bindPart, bindService, connectRpc, startRpcServer } from "./index.js";

const E = defineErrors("test", { NOPE: ["refused", (p: { name: string }) => `no ${p.name}`] });
const Revoked = defineErrors("test", {
  REVOKED: ["unauthenticated", (_p: Record<string, never>) => "revoked"],
});
const peer: Peer = { service: "gateway", host: "" };
const user = { ...anonymous, kind: "user" as const, userId: "u1", projectId: "p1", roles: ["member"] };
const exporter = new InMemorySpanExporter();
const tracer = createTracer({ service: "test", sampleRatio: 1, exporter, immediate: true });
const options = { log: silentLogger, tracer, metrics: new Metrics() };

let seen: Ctx | undefined;
let streamEnded: Promise<void> = Promise.resolve();

const keyPairs = bindService(KeyPairsServiceDefinition, {
  getKeyPair: async (ctx, request) => {
    seen = ctx;
    if (request.name === "missing")
      throw E.NOPE({ name: request.name }, { violations: [{ field: "name", description: "is missing" }] });
    if (request.name === "secret-bug") throw new Error("password=hunter2");
    if (request.name === "slow")
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    return GetKeyPairResponse.fromPartial({ keyPair: { name: request.name, userId: ctx.actor.userId } });
  },
  createKeyPair: async () => CreateKeyPairResponse.fromPartial({}),
  listKeyPairs: async () => ListKeyPairsResponse.fromPartial({}),
  deleteKeyPair: async () => DeleteKeyPairResponse.fromPartial({}),
});
const events = bindService(EventsServiceDefinition, {
  watchEvents: async function* (ctx) {
    streamEnded = new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve()));
    for (let i = 0; ; i++) yield WatchEventsResponse.fromPartial({ resumeToken: String(i) });
  },
});
const bindings: ServiceBinding[] = [keyPairs, events];

const transports: Record<string, () => Promise<{ channel: Channel; close(): Promise<void> }>> = {
  local: async () => {
    const network = new LocalNetwork(options);
    network.listen("api", bindings);
    return { channel: network.connect("api", peer), close: async () => {} };
  },
  "HTTP/2": async () => {
    const server = await startRpcServer({ ...options, address: "127.0.0.1:0", bindings, trustedPeer: peer });
    const channel = connectRpc(`127.0.0.1:${server.port}`);
    return {
      channel,
      close: async () => {
        await channel.close();
        await server.drain(500);
      },
    };
  },
};

const failure = async (promise: Promise<unknown>): Promise<KilonovaError> => {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(error instanceof KilonovaError, `expected a KilonovaError, got ${String(error)}`);
  return error;
};

for (const [name, open] of Object.entries(transports)) {
  describe(`rpc over ${name}`, () => {
    let transport: Awaited<ReturnType<typeof open>>;
    const ctx = (patch: Partial<Ctx> = {}): Ctx =>
      rootCtx({ requestId: "req-11111111-2222-4333-8444-555555555555", actor: user, span: noSpan, ...patch });
    before(async () => {
      transport = await open();
    });
    after(() => transport.close());

    it("carries the request, the actor, the request id and the peer", async () => {
      const answer = await transport.channel
        .client(KeyPairsServiceDefinition)
        .getKeyPair(ctx(), { name: "k" });
      assert.equal(answer.keyPair?.userId, "u1");
      assert.equal(seen?.requestId, "req-11111111-2222-4333-8444-555555555555");
      assert.deepEqual(seen?.actor.roles, ["member"]);
      assert.equal(seen?.peer.service, "gateway");
    });

    it("carries errors with reason, facts and violations", async () => {
      const error = await failure(
        transport.channel.client(KeyPairsServiceDefinition).getKeyPair(ctx(), { name: "missing" }),
      );
      assert.deepEqual(
        [error.kind, error.domain, error.reason, error.message, error.facts["name"]],
        ["refused", "test", "NOPE", "no missing", "missing"],
      );
      assert.deepEqual(error.violations, [{ field: "name", description: "is missing" }]);
    });

    it("hides what an unexpected error says", async () => {
      const error = await failure(
        transport.channel.client(KeyPairsServiceDefinition).getKeyPair(ctx(), { name: "secret-bug" }),
      );
      assert.equal(error.kind, "internal");
      assert.ok(!error.message.includes("hunter2"));
    });

    it("ends a call at its deadline, in the handler too", async () => {
      const error = await failure(
        transport.channel
          .client(KeyPairsServiceDefinition)
          .getKeyPair(ctx({ deadlineMs: Date.now() + 100 }), { name: "slow" }),
      );
      assert.equal(error.kind, "deadline");
    });

    it("cancels the handler when the caller gives up", async () => {
      const controller = new AbortController();
      const call = failure(
        transport.channel
          .client(KeyPairsServiceDefinition)
          .getKeyPair(ctx({ signal: controller.signal }), { name: "slow" }),
      );
      setImmediate(() => controller.abort());
      assert.equal((await call).kind, "cancelled");
    });

    it("tells how many calls are being handled, of all servers of the process together", async () => {
      const other = await open();
      const controller = new AbortController();
      const begin = ({ channel }: typeof other): Promise<KilonovaError> =>
        failure(
          channel
            .client(KeyPairsServiceDefinition)
            .getKeyPair(ctx({ signal: controller.signal }), { name: "slow" }),
        );
      const inFlight = async (): Promise<string | undefined> =>
        /^kilonova_rpc_server_in_flight (\d+)$/m.exec(await options.metrics.expose())?.[1];
      await until(async () => (await inFlight()) === "0", { what: "earlier calls to end" });
      const calls = [begin(transport), begin(other)];
      await until(async () => (await inFlight()) === "2", { what: "both to be counted" });
      controller.abort();
      await Promise.all(calls);
      await until(async () => (await inFlight()) === "0", { what: "both to be forgotten" });
      await other.close();
    });

    it("streams with backpressure and tells the handler when the reader leaves", async () => {
      const got: string[] = [];
      for await (const event of transport.channel.client(EventsServiceDefinition).watchEvents(ctx(), {})) {
        got.push(event.resumeToken);
        if (got.length === 3) break;
      }
      assert.deepEqual(got, ["0", "1", "2"]);
      await streamEnded;
    });

    it("leaves nothing behind on the caller's signal", async () => {
      const { signal } = new AbortController();
      await transport.channel.client(KeyPairsServiceDefinition).getKeyPair(ctx({ signal }), { name: "k" });
      await failure(
        transport.channel.client(KeyPairsServiceDefinition).getKeyPair(ctx({ signal }), { name: "missing" }),
      );
      const watched = transport.channel.client(EventsServiceDefinition).watchEvents(ctx({ signal }), {});
      for await (const { resumeToken } of watched) {
        assert.equal(isAwaited(signal), true);
        if (resumeToken === "1") break;
      }
      await until(() => !isAwaited(signal), { what: "the signal to be let go" });
    });

    it("keeps one trace with the server's span below the caller's", async () => {
      exporter.reset();
      const span = tracer.start("caller", "", {}, "internal");
      await transport.channel.client(KeyPairsServiceDefinition).getKeyPair(ctx({ span }), { name: "k" });
      span.end();
      const byName = new Map(exporter.getFinishedSpans().map((s) => [s.name, s]));
      const server = byName.get("kilonova.api.v1.KeyPairsService/GetKeyPair");
      const client = byName.get("GetKeyPair");
      // Where a network is between them, the client has a span of its own.
      assert.equal(client !== undefined, name === "HTTP/2");
      assert.equal(server?.parentSpanContext?.spanId, (client ?? byName.get("caller"))?.spanContext().spanId);
      if (client !== undefined)
        assert.equal(client.parentSpanContext?.spanId, byName.get("caller")?.spanContext().spanId);
    });
  });
}

describe("allowed callers", () => {
  it("refuses a service that the proto does not list", async () => {
    const network = new LocalNetwork(options);
    network.listen("api", bindings);
    const error = await failure(
      network
        .connect("api", { service: "compute", host: "h1" })
        .client(KeyPairsServiceDefinition)
        .getKeyPair(rootCtx({ requestId: "r" }), { name: "k" }),
    );
    assert.deepEqual([error.kind, error.reason], ["forbidden", "CALLER_NOT_ALLOWED"]);
  });

  it("believes a token at a public port, never a forwarded actor", async () => {
    const server = await startRpcServer({
      ...options,
      address: "127.0.0.1:0",
      bindings,
      authenticate: async (_ctx, token) => {
        if (token !== "good")
          throw new KilonovaError({
            kind: "unauthenticated",
            domain: "test",
            reason: "BAD_TOKEN",
            message: "bad token",
          });
        return { actor: { ...user, userId: "from-token" } };
      },
    });
    try {
      const forged = connectRpc(`127.0.0.1:${server.port}`);
      assert.equal(
        (
          await failure(
            forged
              .client(KeyPairsServiceDefinition)
              .getKeyPair(rootCtx({ requestId: "r", actor: user }), { name: "k" }),
          )
        ).kind,
        "unauthenticated",
      );
      const honest = connectRpc(`127.0.0.1:${server.port}`, { token: async () => "good" });
      assert.equal(
        (
          await honest
            .client(KeyPairsServiceDefinition)
            .getKeyPair(rootCtx({ requestId: "r" }), { name: "k" })
        ).keyPair?.userId,
        "from-token",
      );
      await Promise.all([forged.close(), honest.close()]);
    } finally {
      await server.close();
    }
  });

  it("ends what is under way when its token ends, with the reason", async () => {
    const token = new AbortController();
    const server = await startRpcServer({
      ...options,
      address: "127.0.0.1:0",
      bindings,
      authenticate: async () => ({ actor: user, ended: token.signal }),
    });
    const channel = connectRpc(`127.0.0.1:${server.port}`);
    const ctx = rootCtx({ requestId: "r" });
    try {
      const waiting = failure(channel.client(KeyPairsServiceDefinition).getKeyPair(ctx, { name: "slow" }));
      let begun = (): void => {};
      const reading = new Promise<void>((resolve) => (begun = resolve));
      const watching = failure(
        (async () => {
          for await (const _ of channel.client(EventsServiceDefinition).watchEvents(ctx, {})) begun();
        })(),
      );
      await reading;
      token.abort(Revoked.REVOKED({}));
      for (const error of await Promise.all([waiting, watching]))
        assert.deepEqual([error.kind, error.reason], ["unauthenticated", "TOKEN_ENDED"]);
      await streamEnded;
      assert.equal(
        (await failure(channel.client(KeyPairsServiceDefinition).getKeyPair(ctx, { name: "slow" }))).reason,
        "TOKEN_ENDED",
      );
    } finally {
      await channel.close();
      await server.close();
    }
  });

  it("tells whoever may ask, and nobody else, that a method of the contract is not served", async () => {
    const server = await startRpcServer({
      ...options,
      address: "127.0.0.1:0",
      bindings: bindContract(
        [KeyPairsServiceDefinition, EventsServiceDefinition],
        [bindPart(KeyPairsServiceDefinition, {})],
      ),
      authenticate: async (_ctx, token) => {
        if (token !== "good")
          throw new KilonovaError({
            kind: "unauthenticated",
            domain: "test",
            reason: "BAD_TOKEN",
            message: "bad token",
          });
        return { actor: user };
      },
    });
    const [stranger, known] = [
      connectRpc(`127.0.0.1:${server.port}`),
      connectRpc(`127.0.0.1:${server.port}`, { token: async () => "good" }),
    ];
    const ctx = rootCtx({ requestId: "r" });
    const watch = async (channel: Channel): Promise<void> => {
      for await (const _ of channel.client(EventsServiceDefinition).watchEvents(ctx, {})) return;
    };
    try {
      for (const [channel, kind] of [
        [stranger, "unauthenticated"],
        [known, "unsupported"],
      ] as const) {
        for (const error of [
          await failure(channel.client(KeyPairsServiceDefinition).getKeyPair(ctx, { name: "k" })),
          await failure(watch(channel)),
        ])
          assert.equal(error.kind, kind);
      }
      const refused = await failure(known.client(KeyPairsServiceDefinition).getKeyPair(ctx, { name: "k" }));
      assert.deepEqual(
        [refused.domain, refused.reason, refused.facts],
        ["rpc", "NOT_SERVED", { method: "kilonova.api.v1.KeyPairsService/GetKeyPair" }],
      );
    } finally {
      await Promise.all([stranger.close(), known.close()]);
      await server.close();
    }
  });
});
