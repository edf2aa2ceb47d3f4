import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import type { WatchEventsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import { EventType, WatchEventsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { TokenValidator } from "../../clients/keystone/ports.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors, silentLogger } from "../../kernel/index.js";
import { createPolicy } from "../../policy/index.js";
import { systemIds } from "../../platform/process/ids.js";
import type { HttpServer } from "../../platform/http/index.js";
import { Sharing, sharingConfig } from "../../platform/sharing/index.js";
import { until } from "../../testkit/until.js";
import { gatewayConfig } from "../config.js";
import type { GatewayConfig } from "../config.js";
import { fakeApiChannel } from "../testing/fake-api.js";
import { SERVER_ID, someServer } from "../testing/samples.js";
import { fakeTokens } from "../testing/test-tokens.js";
import { buildGateway } from "../wire.js";

type Events = (ctx: Ctx, request: WatchEventsRequest) => AsyncGenerator<WatchEventsResponse>;

const bookmark = (resumeToken: string): WatchEventsResponse =>
  WatchEventsResponse.fromPartial({ type: EventType.EVENT_TYPE_BOOKMARK, resumeToken });
const forever = (ctx: Ctx): Promise<void> =>
  new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve()));

interface Sent {
  readonly event?: string;
  readonly id?: string;
  readonly data?: {
    readonly server?: Readonly<Record<string, unknown>>;
    readonly cell?: string;
    readonly unauthorized?: { readonly code: number };
    readonly serviceUnavailable?: { readonly code: number };
  };
  readonly comment?: string;
}

/** What a stream says, block by block, as a browser would read it. */
async function* read(answer: Response): AsyncGenerator<Sent> {
  let text = "";
  for await (const part of answer.body ?? []) {
    text += Buffer.from(part as Uint8Array).toString();
    for (let at: number; (at = text.indexOf("\n\n")) >= 0; text = text.slice(at + 2)) {
      const block = text.slice(0, at);
      if (block.startsWith(":")) yield { comment: block };
      else {
        const fields = Object.fromEntries(
          block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
        );
        yield { ...fields, data: JSON.parse(fields["data"] ?? "") };
      }
    }
  }
}

async function all(events: AsyncIterable<Sent>): Promise<Sent[]> {
  const found: Sent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

describe("gateway: the watch", () => {
  let server: HttpServer;
  let token: AbortController;
  let open = 0;
  let requests: WatchEventsRequest[] = [];

  const start = async (
    events: Events,
    patch: Partial<GatewayConfig> = {},
    sharing?: Sharing,
  ): Promise<void> => {
    token = new AbortController();
    [open, requests] = [0, []];
    const known = fakeTokens();
    const tokens: TokenValidator = {
      validate: async (...of) => ({ ...(await known.validate(...of)), ended: token.signal }),
    };
    const watchEvents = async function* (ctx: Ctx, request: WatchEventsRequest) {
      requests.push(request);
      open++;
      try {
        yield* events(ctx, request);
      } finally {
        open--;
      }
    };
    server = await buildGateway({
      config: gatewayConfig.parse({ port: 0, ...patch }),
      api: fakeApiChannel({ events: { watchEvents } }, []),
      tokens,
      policy: createPolicy(),
      log: silentLogger,
      ids: systemIds,
      turns: sharing?.gate(),
    }).start();
  };
  const watch = (headers: Record<string, string> = {}, query = "", signal?: AbortSignal): Promise<Response> =>
    fetch(`${server.url}/v2.1/kilonova/events${query}`, {
      headers: { "x-auth-token": "member", ...headers },
      ...(signal ? { signal } : {}),
    });
  afterEach(() => server.close(100));

  it("tells servers as the long list shows them at the version, each with where to go on", async () => {
    await start(async function* () {
      yield bookmark("b0");
      yield WatchEventsResponse.fromPartial({
        type: EventType.EVENT_TYPE_SERVER_CHANGED,
        server: someServer(),
        resumeToken: "s1",
        hiddenFields: ["flavor.extra_specs", "host_info", "host_status"],
      });
      yield WatchEventsResponse.fromPartial({ type: EventType.EVENT_TYPE_RESET, resumeToken: "r" });
      yield WatchEventsResponse.fromPartial({
        type: EventType.EVENT_TYPE_CELL_UNREACHABLE,
        cell: "cell1",
        resumeToken: "c",
      });
    });
    const answer = await watch({ "openstack-api-version": "compute 2.90" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    assert.equal(answer.headers.get("openstack-api-version"), "compute 2.90");
    assert.match(answer.headers.get("x-openstack-request-id") ?? "", /^req-/);
    const [first, changed, reset, silent] = await all(read(answer));
    assert.deepEqual(first, { event: "bookmark", id: "b0", data: {} });
    assert.deepEqual([changed?.event, changed?.id], ["server.changed", "s1"]);
    const shown = changed?.data?.server ?? assert.fail("no server");
    const flavor = shown["flavor"] as object;
    assert.deepEqual([shown["id"], shown["locked"]], [SERVER_ID, false]);
    assert.ok("description" in shown && "original_name" in flavor);
    assert.ok(!("extra_specs" in flavor) && !("host_status" in shown));
    assert.deepEqual(reset, { event: "reset", id: "r", data: {} });
    assert.deepEqual(silent, { event: "cell.unreachable", id: "c", data: { cell: "cell1" } });
    const [, old] = await all(read(await watch()));
    assert.equal(old?.data?.server?.["locked"], undefined);
  });

  it("goes on from the last event, and asks for what the caller wants", async () => {
    await start(async function* () {
      yield bookmark("b");
    });
    await all(read(await watch({ "last-event-id": "b0" }, `?server_id=${SERVER_ID}&all_tenants=1`)));
    const [{ resumeToken, serverIds, allProjects } = assert.fail("no request")] = requests;
    assert.deepEqual([resumeToken, serverIds, allProjects], ["b0", [SERVER_ID], true]);
  });

  it("refuses as every other request is refused, while nothing was sent", async () => {
    await start(async function* () {
      yield* [];
      throw CommonErrors.INVALID_ARGUMENT({ field: "resume_token", problem: "not a resume token" });
    });
    const statusOf = async (...of: Parameters<typeof watch>): Promise<unknown> => {
      const answer = await watch(...of);
      return [answer.status, Object.keys((await answer.json()) as object)[0]];
    };
    assert.deepEqual(await statusOf(), [400, "badRequest"]);
    assert.deepEqual(await statusOf({}, "?nonsense=1"), [400, "badRequest"]);
    assert.deepEqual(await statusOf({}, "?server_id=x"), [400, "badRequest"]);
    assert.deepEqual(await statusOf({ "x-auth-token": "bad" }), [401, "error"]);
    assert.deepEqual(await statusOf({ "openstack-api-version": "compute 2.999" }), [406, "computeFault"]);
    assert.equal(requests.length, 1);
    const other = await fetch(`${server.url}/v2.1/0123456789abcdef/kilonova/events`, {
      headers: { "x-auth-token": "member" },
    });
    assert.equal(other.status, 400);
  });

  it("ends with the token, and says so", async () => {
    await start(async function* (ctx) {
      yield bookmark("b");
      await forever(ctx);
    });
    const events = read(await watch());
    await events.next();
    token.abort(CommonErrors.TOKEN_ENDED({}));
    const { value } = await events.next();
    assert.equal(value.event, "end");
    assert.equal(value.data.unauthorized?.code, 401);
    assert.ok((await events.next()).done);
    await until(() => open === 0);
  });

  it("ends when the gateway stops, and says so", async () => {
    await start(async function* (ctx) {
      yield bookmark("b");
      await forever(ctx);
    });
    const events = read(await watch());
    await events.next();
    const stopped = server.close(10_000);
    assert.equal((await events.next()).value.data.serviceUnavailable?.code, 503);
    await stopped;
    assert.equal(open, 0);
  });

  it("ends when the client hangs up", async () => {
    await start(async function* (ctx) {
      yield bookmark("b");
      await forever(ctx);
    });
    const client = new AbortController();
    await read(await watch({}, "", client.signal)).next();
    assert.equal(open, 1);
    client.abort();
    await until(() => open === 0);
  });

  it("waits for a client that takes nothing, and cuts it off when its rights end", async function () {
    this.timeout(120_000);
    let sent = 0;
    await start(async function* () {
      for (;;) {
        sent++;
        yield bookmark("x".repeat(10_000));
      }
    });
    const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
    socket.pause();
    socket.write("GET /v2.1/kilonova/events HTTP/1.1\r\nhost: x\r\nx-auth-token: member\r\n\r\n");
    await until(() => sent > 0);
    let last = -1;
    for (let same = 0; same < 20; same = last === sent ? same + 1 : 0) {
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(sent < 2_000, `${sent} events of 10 kB were made for nobody`);
    token.abort(CommonErrors.TOKEN_ENDED({}));
    await until(() => open === 0);
    socket.destroy();
  });

  it("outlives the time of a request, takes no turn, and is not silent", async () => {
    await start(
      async function* (ctx) {
        yield bookmark("b");
        await forever(ctx);
      },
      { requestTimeoutMs: 2_000, heartbeatMs: 700 },
      new Sharing({ ...sharingConfig.parse({}), concurrency: 1, sharedConcurrency: 1, queueLength: 0 }),
    );
    const [first, second] = [read(await watch()), read(await watch())];
    await Promise.all([first.next(), second.next()]);
    for (let i = 0; i < 4; i++) assert.match((await first.next()).value.comment, /^:/);
    assert.equal(open, 2);
    token.abort();
  });
});
