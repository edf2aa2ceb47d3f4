import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { SpanLine } from "../../pkg/platform/telemetry/index.js";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { Spans } from "./support/spans.js";

const API = "kilonova.api.v1.ServersService",
  CELLS = "kilonova.cells.v1.GlobalService",
  SCHEDULER = "kilonova.scheduler.v1.SchedulerService";
const PLACEMENT = "kilonova.placement.v1.PlacementService",
  AGENT = "kilonova.compute.v1.AgentService";
/** Everything that began with the request, up to where the operation was stored. */
const ACCEPTED = ["POST compute", `${API}/CreateServers`];

/**
 * One request, from REST to the hypervisor's monitor, is one trace: also through the stored operation that
 * another process may run.
 */
describe("the trace of a boot on QEMU", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let token = "";
  let serverId = "";
  let requestId = "";
  let spans: Spans;

  const compute = (): string => `http://127.0.0.1:${cloud.port(8774)}/v2.1`;
  const one = (name: string): SpanLine => {
    const [span, ...others] = spans.named(name);
    assert.ok(
      span && others.length === 0,
      `${others.length + (span ? 1 : 0)} spans "${name}" in\n${String(spans)}`,
    );
    return span;
  };
  /** Asserts that the span's ancestors are these and no others. */
  const assertPath = (...path: readonly string[]): void =>
    assert.deepEqual(spans.path(one(path.at(-1) ?? "")), path);

  before(async () => {
    cloud = await Cloud.start({
      portOffset: 12_000,
      args: ["--hosts", "1"],
      env: { KILONOVA_TELEMETRY_TRACES: "file" },
    });
    token = await tokenOf(cloud, "demo");
    const { images } = await getJson<{ images: { id: string }[] }>(
      `http://127.0.0.1:${cloud.port(9292)}/v2/images`,
      token,
    );
    const { flavors } = await getJson<{ flavors: { id: string; name: string }[] }>(
      `${compute()}/flavors`,
      token,
    );
    const server = {
      name: "traced",
      imageRef: images[0]?.id,
      flavorRef: flavors.find(({ name }) => name === "m1.nano")?.id,
      networks: "auto",
    };
    const answer = await fetch(`${compute()}/servers`, {
      method: "POST",
      body: JSON.stringify({ server }),
      headers: {
        "x-auth-token": token,
        "content-type": "application/json",
        "openstack-api-version": "compute 2.37",
        "x-openstack-request-id": `req-${randomUUID()}`,
      },
    });
    assert.equal(answer.status, 202);
    requestId = answer.headers.get("x-openstack-request-id") ?? "";
    serverId = ((await answer.json()) as { server: { id: string } }).server.id;
    await until(
      async () =>
        (await getJson<{ server: { status: string } }>(`${compute()}/servers/${serverId}`, token)).server
          .status === "ACTIVE",
      { timeoutMs: 240_000, everyMs: 500, what: "ACTIVE" },
    );
    spans = await until(
      () => {
        const all = Spans.read(join(cloud.home, "traces.jsonl"));
        const operation = all
          .named("operation server.boot")
          .find(({ attributes }) => attributes["request.id"] === requestId);
        const found = operation && all.trace(operation.traceId);
        // Those around it end in their own time, and are written when they have ended.
        return found?.all.every((span) => span.parentSpanId === "" || found.parentOf(span))
          ? found
          : undefined;
      },
      { timeoutMs: 60_000, everyMs: 100, what: "the end of the operation's span, and of all around it" },
    );
  });
  after(async () => {
    if (!cloud) return;
    await fetch(`${compute()}/servers/${serverId}`, { method: "DELETE", headers: { "x-auth-token": token } });
    await until(
      async () =>
        (await fetch(`${compute()}/servers/${serverId}`, { headers: { "x-auth-token": token } })).status ===
        404,
      { timeoutMs: 120_000, everyMs: 500, what: "the deletion" },
    );
    await cloud.stop();
    cloud.forget();
  });

  it("begins with the HTTP request, the only one without a parent", () => {
    const roots = spans.all.filter(({ parentSpanId }) => parentSpanId === "");
    assert.deepEqual(
      roots.map(({ name, attributes }) => [name, attributes["request.id"], attributes["http.status_code"]]),
      [["POST compute", requestId, 202]],
    );
    for (const span of spans.all) assert.equal(spans.path(span)[0], "POST compute", "everything hangs on it");
  });

  it("goes through api to the transaction that accepts", () => {
    assertPath(...ACCEPTED, `${CELLS}/AcceptServers`, "db.write servers.accept");
  });

  it("goes on with the stored operation and its steps, in their order", () => {
    assertPath(...ACCEPTED, "operation server.boot");
    const operation = one("operation server.boot");
    const steps = spans.all
      .filter(({ name, parentSpanId }) => name.startsWith("step ") && parentSpanId === operation.spanId)
      .sort((a, b) => a.startUs - b.startUs);
    assert.deepEqual(
      steps.map(({ name }) => name),
      // The claim is the scheduler's: the hand-over finishes that step with its own.
      ["select-destinations", "hand-over", "allocate-networks", "build-guest"].map((step) => `step ${step}`),
    );
  });

  it("shows the scheduler's decision and its claim", () => {
    assertPath(
      ...ACCEPTED,
      "operation server.boot",
      "step select-destinations",
      `${SCHEDULER}/SelectDestinations`,
      `${PLACEMENT}/ClaimAllocations`,
      "db.write placement.ledger",
    );
  });

  it("shows the ports that Network made", () => {
    assertPath(
      ...ACCEPTED,
      "operation server.boot",
      "step allocate-networks",
      "POST network",
      "db.write port.create",
    );
  });

  it("ends in the hypervisor: the agent's command, the driver, and the monitor's cont", () => {
    const command = [
      ...ACCEPTED,
      "operation server.boot",
      "step build-guest",
      `${AGENT}/RunCommand`,
      "agent.command",
    ];
    assertPath(...command, "driver.define");
    assertPath(...command, "driver.powerOn", "qmp cont");
    assert.match(String(one("agent.command").attributes["command.id"]), /\/build-guest\/0$/);
  });

  it("carries the request id of the REST answer through every service", () => {
    const served = spans.all.filter(
      ({ attributes }) =>
        typeof attributes["rpc.service"] === "string" && typeof attributes["peer.service"] === "string",
    );
    assert.ok(served.length >= 10, `${served.length} served calls`);
    for (const { name, attributes } of served) assert.equal(attributes["request.id"], requestId, name);
  });

  it("has no failed span", () => {
    assert.deepEqual(
      spans.all.filter(({ ok }) => !ok).map(({ name }) => name),
      [],
    );
  });
});
