import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { credentials as grpcCredentials } from "@grpc/grpc-js";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { WebSocket } from "ws";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import type { FakeRule } from "../../gen/kilonova/compute/v1/agent_service.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import type { ErrorKind } from "../../pkg/kernel/index.js";
import { connectRpc } from "../../pkg/platform/rpc/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { etcdInstalled, freePort } from "../../pkg/testkit/etcd.js";
import { until } from "../../pkg/testkit/until.js";
import type { Pem } from "./support/cluster/certificates.js";
import { createAuthority } from "./support/cluster/certificates.js";
import { TestDeployment } from "./support/cluster/cluster.js";
import { findNetwork, uploadImage } from "./support/cluster/fixtures.js";
import type { Program } from "./support/cluster/programs.js";
import { Rest, login } from "./support/cluster/rest.js";

interface Server {
  readonly id: string;
  readonly status: string;
  readonly progress: number;
  readonly "OS-EXT-STS:task_state": string | null;
  readonly fault?: unknown;
}
interface Service {
  readonly binary: string;
  readonly host: string;
  readonly state: string;
}

const BOOTS = 10;
/** Who lives keeps its lease also where the machine stands still for a while. */
const LEASE_MS = 30_000;

describe("a real deployment: every service a process of its own, mutual TLS, etcd, PostgreSQL", function () {
  this.timeout(300_000);
  let deployment: TestDeployment;
  let firstPort: number, secondPort: number;
  let cells: Program, conductors: readonly Program[], computes: readonly Program[], edges: readonly Program[];
  let compute: Rest;
  let left = "";
  let scripts = 0;
  let image: string, network: string, token: string;

  before(async function () {
    if (!etcdInstalled()) this.skip();
    deployment = await TestDeployment.prepare({ leaseTtlMs: LEASE_MS });
    const { programs, ports } = deployment;
    const [cellsOptions, placementOptions] = await Promise.all([deployment.cells(), deployment.placement()]);
    await assert.rejects(
      programs.start("placement", "too-early", placementOptions),
      /older than this version.*manage db migrate placement/s,
    );
    await Promise.all([
      programs.kilonova([
        "manage",
        "db",
        "migrate",
        "cells",
        "--config",
        await programs.config("cells", cellsOptions),
      ]),
      programs.kilonova([
        "manage",
        "db",
        "migrate",
        "placement",
        "--config",
        await programs.config("placement", placementOptions),
      ]),
    ]);
    firstPort = await freePort();
    secondPort = await freePort();
    const all = await Promise.all([
      deployment.standalone(),
      programs.start("placement", "placement", placementOptions),
      programs.start("cells", "cells", cellsOptions),
      deployment.scheduler(),
      deployment.conductor("conductor-1"),
      deployment.conductor("conductor-2"),
      deployment.api("api", {
        api: { serialBaseUrl: `ws://127.0.0.1:${ports.console}/`, consoleTokenTtlMs: 60_000 },
      }),
      deployment.gateway(),
      deployment.metadata(),
      deployment.compute("compute-1", ["host-1"], firstPort),
      deployment.compute("compute-2", ["host-2"], secondPort),
      deployment.console(),
    ]);
    cells = all[2];
    conductors = [all[4], all[5]];
    edges = [all[6], all[7], all[8], all[11]];
    computes = [all[9], all[10]];
    token = await login(`http://127.0.0.1:${ports.identity}`, "admin", "admin", deployment.adminPassword);
    const common = { "X-Auth-Token": token };
    compute = new Rest(`http://127.0.0.1:${ports.compute}/v2.1`, {
      ...common,
      "OpenStack-API-Version": "compute 2.96",
    });
    [image, network] = await Promise.all([
      uploadImage(new Rest(`http://127.0.0.1:${ports.image}`, common)),
      findNetwork(new Rest(`http://127.0.0.1:${ports.network}`, common)),
    ]);
    await compute.expect(200, "flavor", "POST", "/flavors", {
      flavor: { id: "cluster-1", name: "tiny", vcpus: 1, ram: 64, disk: 1 },
    });
  });

  after(async () => {
    await deployment?.close();
  });

  afterEach(function () {
    if (this.currentTest?.state === "failed") console.error(deployment.programs.tail(15));
  });

  async function create(name: string): Promise<string> {
    const server = await compute.expect<{ id: string }>(202, "server", "POST", "/servers", {
      server: { name, imageRef: image, flavorRef: "cluster-1", networks: [{ uuid: network }] },
    });
    return server.id;
  }

  /** A server on a host of the caller's choice, as administrators may. */
  const createOn = async (host: string): Promise<string> =>
    (
      await compute.expect<{ id: string }>(202, "server", "POST", "/servers", {
        server: {
          name: `on-${host}`,
          host,
          imageRef: image,
          flavorRef: "cluster-1",
          networks: [{ uuid: network }],
        },
      })
    ).id;

  /** Where the fake driver of the second compute process keeps a guest. */
  const guestFile = (id: string): string =>
    join(deployment.dir, "compute-2", "hosts", "host-2", "guests", `${id}.json`);

  const show = (id: string): Promise<Server> =>
    compute.expect<Server>(200, "server", "GET", `/servers/${id}`);

  async function active(id: string): Promise<void> {
    const server = await until(
      async () => {
        const found = await show(id);
        return found.status !== "BUILD" && found;
      },
      { timeoutMs: 90_000, everyMs: 100, what: `server ${id} to leave BUILD` },
    );
    assert.equal(server.status, "ACTIVE", JSON.stringify(server.fault));
  }

  const gone = (id: string): Promise<unknown> =>
    until(async () => (await compute.call("GET", `/servers/${id}`)).status === 404, {
      timeoutMs: 90_000,
      everyMs: 100,
      what: `server ${id} to be gone`,
    });

  const services = (binary: string): Promise<readonly Service[]> =>
    compute.expect<readonly Service[]>(200, "services", "GET", `/os-services?binary=${binary}`);

  /** Tells the hosts of a compute process what to do wrong. */
  async function script(which: number, rules: readonly Partial<FakeRule>[]): Promise<void> {
    const pem = await deployment.authority.issue("global/operator", `scripting-${++scripts}`);
    const agent = connectRpc(computes[which]?.logged("service.listening", "address") ?? "", {
      credentials: grpcCredentials.createSsl(
        readFileSync(deployment.authority.ca),
        readFileSync(pem.key),
        readFileSync(pem.certificate),
        { checkServerIdentity: () => undefined },
      ),
      serverName: "compute",
      attempts: 1,
    });
    try {
      await agent
        .client(AgentServiceDefinition)
        .scriptFakeDriver(testCtx(), { host: `host-${which + 1}`, rules: [...rules] });
    } finally {
      await agent.close();
    }
  }

  it("is ready in every process, and says so to probes and scrapers", async () => {
    for (const { statusUrl, name } of [cells, ...conductors, ...computes, ...edges]) {
      const ready = await fetch(`${statusUrl}/readyz`);
      assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, missing: {} }], name);
      assert.equal((await fetch(`${statusUrl}/healthz`)).status, 200);
    }
    assert.match(
      await (await fetch(`${cells.statusUrl}/metrics`)).text(),
      /kilonova_rpc_server_duration_seconds_count\{.*\} \d+/,
    );
  });

  it("lists hosts and control services as up", async () => {
    const up = await until(
      async () => {
        const listed = [
          ...(await services("nova-compute")),
          ...(await services("nova-conductor")),
          ...(await services("nova-scheduler")),
        ];
        return listed.length === 5 && listed.every(({ state }) => state === "up") && listed;
      },
      { what: "five services to be up" },
    );
    assert.deepEqual(
      up
        .map(({ host }) => host)
        .slice(0, 4)
        .toSorted(),
      ["conductor-1", "conductor-2", "host-1", "host-2"],
    );
  });

  it("knows the hosts' resources in Placement", async () => {
    const placement = new Rest(`http://127.0.0.1:${deployment.ports.placement}`, { "X-Auth-Token": token });
    const providers = await placement.expect<readonly { name: string }[]>(
      200,
      "resource_providers",
      "GET",
      "/resource_providers",
    );
    assert.deepEqual(providers.map(({ name }) => name).toSorted(), ["host-1", "host-2"]);
  });

  it("boots a server over REST and deletes it", async () => {
    const id = await create("one");
    await active(id);
    assert.equal((await compute.call("DELETE", `/servers/${id}`)).status, 204);
    await gone(id);
  });

  it("carries a console from its user to the host's agent and back, until the server is gone", async () => {
    const id = await create("console");
    await active(id);
    const { url } = await compute.expect<{ url: string }>(
      200,
      "remote_console",
      "POST",
      `/servers/${id}/remote-consoles`,
      { remote_console: { protocol: "serial", type: "serial" } },
    );
    const open = (): { readonly socket: WebSocket; heard: Buffer; end: number } => {
      const session = { socket: new WebSocket(url, ["binary"]), heard: Buffer.alloc(0), end: 0 };
      session.socket
        .on("error", () => {})
        .on("message", (data: Buffer) => (session.heard = Buffer.concat([session.heard, data])))
        .on("unexpected-response", (_request, { statusCode }) => (session.end = statusCode ?? -1))
        .on("close", (code) => (session.end = code));
      return session;
    };
    const session = open();
    const bytes = randomBytes(200_000);
    session.socket.once("open", () => session.socket.send(bytes));
    await until(() => session.heard.length >= bytes.length, { timeoutMs: 90_000, what: "the echo" });
    assert.deepEqual(session.heard, bytes);
    assert.equal((await compute.call("DELETE", `/servers/${id}`)).status, 204);
    await gone(id);
    await until(() => session.end === 1000, { timeoutMs: 90_000, what: "the console to end" });
    const late = open();
    await until(() => late.end === 403, { what: "the address to open nothing" });
  });

  it("answers operators with a certificate", async () => {
    const id = await create("operated");
    await active(id);
    await until(
      async () => /cell1 +host-1 +nova-compute +up +enabled/.test(await deployment.operate("status")),
      {
        timeoutMs: 90_000,
        everyMs: 500,
        what: "host-1 to be told as up",
      },
    );
    assert.match(
      await deployment.operate("manage", "operation", "list", "--server", id),
      /server\.boot +SUCCEEDED/,
    );
    assert.equal((await compute.call("DELETE", `/servers/${id}`)).status, 204);
    await gone(id);
  });

  it("refuses who has no certificate, a foreign one, or that of a service that may not ask", async () => {
    const address = cells.logged("service.listening", "address") ?? "";
    const foreign = await createAuthority(deployment.dir, "foreign");
    const ask = async (credentials: ChannelCredentials): Promise<ErrorKind | "answered"> => {
      const channel = connectRpc(address, { credentials, serverName: "cells", attempts: 1 });
      try {
        await channel.client(GlobalServiceDefinition).listCells(testCtx(), {});
        return "answered";
      } catch (error) {
        assert.ok(error instanceof KilonovaError, String(error));
        return error.kind;
      } finally {
        await channel.close();
      }
    };
    const tls = (pem?: Pick<Pem, "certificate" | "key">): ChannelCredentials =>
      grpcCredentials.createSsl(
        readFileSync(deployment.authority.ca),
        pem ? readFileSync(pem.key) : null,
        pem ? readFileSync(pem.certificate) : null,
        { checkServerIdentity: () => undefined },
      );
    assert.equal(await ask(tls(await deployment.authority.issue("global/api", "asker-api"))), "answered");
    assert.equal(await ask(tls()), "unavailable");
    assert.equal(await ask(grpcCredentials.createInsecure()), "unavailable");
    assert.equal(await ask(tls(await foreign.issue("global/api", "asker-foreign"))), "unavailable");
    assert.equal(
      await ask(tls(await deployment.authority.issue("cell1/compute/host-9", "asker-compute"))),
      "forbidden",
    );
  });

  it("goes on with a build, and tells how far it is, although its conductor and then its agent are killed", async () => {
    await script(0, [{ method: "define", delayMs: 60_000 }]);
    const id = await createOn("host-1");
    const passes = (percent: number): Promise<number> =>
      until(
        async () => {
          const { status, progress } = await show(id);
          assert.equal(status, "BUILD");
          return progress > percent && progress;
        },
        { timeoutMs: 90_000, everyMs: 50, what: `progress beyond ${percent}` },
      );
    await passes(0);
    let at = 0;
    for (const [which, conductor] of conductors.entries()) {
      if ((await deployment.unfinishedOf(conductor.logged("service.starting", "id") ?? "")) === 0) continue;
      await conductor.kill();
      at = (await show(id)).progress;
      const again = await deployment.conductor(`conductor-${which + 1}`);
      conductors = conductors.map((one) => (one === conductor ? again : one));
    }
    assert.ok(at > 0, "no conductor was at it: this proves nothing");
    assert.ok((await passes(at + 1)) < 100, "the build has ended: this proves nothing");
    const listed = await deployment.operate("manage", "operation", "list", "--server", id);
    const name = /^(\S+) +server\.boot /m.exec(listed)?.[1] ?? assert.fail(listed);
    assert.match(
      await deployment.operate("manage", "operation", "show", name),
      /^progress 9\d %, disks \d+ of 1073741824, told /m,
    );
    await computes[0]?.kill();
    // It has forgotten to be slow, and knows by its journal what it had begun.
    const back = await deployment.compute("compute-1", ["host-1"], firstPort);
    computes = [back, ...computes.slice(1)];
    await active(id);
    assert.equal((await show(id)).progress, 0);
    assert.equal((await compute.call("DELETE", `/servers/${id}`)).status, 204);
    await gone(id);
  });

  it(`finishes ${BOOTS} boots although a conductor is killed while they run`, async () => {
    const [victim, survivor] = conductors;
    const owner = victim?.logged("service.starting", "id") ?? "";
    // So slow that the conductor cannot be through with them before it dies.
    for (const which of [0, 1]) await script(which, [{ method: "define", delayMs: 5_000 }]);
    const accepted = Array.from({ length: BOOTS }, (_, i) => create(`boot-${i}`));
    await until(async () => (await deployment.unfinishedOf(owner)) >= 2, {
      timeoutMs: 90_000,
      what: "the conductor to have work",
    });
    await victim?.kill();
    assert.ok(
      (await deployment.unfinishedOf(owner)) > 0,
      "the conductor died without work: this proves nothing",
    );
    for (const which of [0, 1]) await script(which, []);
    const ids = await Promise.all(accepted);
    await Promise.all(ids.map((id) => active(id)));
    assert.equal(new Set(ids).size, BOOTS);
    assert.equal((await fetch(`${survivor?.statusUrl ?? ""}/readyz`)).status, 200);
    await Promise.all(
      ids.map(async (id) => {
        assert.equal((await compute.call("DELETE", `/servers/${id}`)).status, 204);
        await gone(id);
      }),
    );
  });

  it("goes on without etcd, and finds everybody again when it is back", async () => {
    await deployment.etcd.kill();
    const id = await create("without-etcd");
    await active(id);
    await deployment.etcd.start();
    await until(async () => (await services("nova-compute")).every(({ state }) => state === "up"), {
      timeoutMs: 90_000,
      everyMs: 100,
      what: "all hosts to be up again",
    });
    await until(async () => (await fetch(`${cells.statusUrl}/readyz`)).status === 200, {
      timeoutMs: 90_000,
      everyMs: 100,
      what: "cells to hold its lease again",
    });
    assert.equal((await compute.call("DELETE", `/servers/${id}`)).status, 204);
    await gone(id);
  });

  it("shows the hosts of a killed compute process as down", async () => {
    left = await createOn("host-2");
    await active(left);
    assert.ok(existsSync(guestFile(left)));
    await computes[1]?.kill();
    const wanted = ["host-1 up", "host-2 down"];
    let shown: readonly string[] = [];
    await until(
      async () => {
        shown = (await services("nova-compute")).map(({ host, state }) => `${host} ${state}`).toSorted();
        return isDeepStrictEqual(shown, wanted);
      },
      { timeoutMs: 90_000, everyMs: 100, what: "host-2, and no other, to be shown as down" },
    ).catch(() => assert.deepEqual(shown, wanted));
  });

  it("lets an operator cancel or abandon what waits for a host that is down", async () => {
    const stop = async (): Promise<string> => {
      assert.equal((await compute.call("POST", `/servers/${left}/action`, { "os-stop": null })).status, 202);
      const listed = await deployment.operate("manage", "operation", "list", "--server", left);
      return /^(\S+) +server\.stop +(?:RUNNING|PARKED) /m.exec(listed)?.[1] ?? assert.fail(listed);
    };
    const ends = (status: string): Promise<unknown> =>
      until(
        async () => {
          const server = await show(left);
          return server.status === status && server["OS-EXT-STS:task_state"] === null;
        },
        { timeoutMs: 90_000, everyMs: 100, what: `the server to be ${status} and at rest` },
      );
    const cancelled = await stop();
    assert.match(await deployment.operate("manage", "operation", "show", cancelled), /power-off/);
    await deployment.operate("manage", "operation", "cancel", cancelled);
    await ends("ACTIVE");
    const abandoned = await stop();
    assert.match(
      await deployment.operate("manage", "operation", "abandon", abandoned, "--reason", "the host is lost"),
      /: FAILED/,
    );
    await ends("ERROR");
    assert.match(
      await deployment.operate("manage", "operation", "list", "--server", left),
      /server\.stop +CANCELLED[\s\S]*server\.stop +FAILED|server\.stop +FAILED[\s\S]*server\.stop +CANCELLED/,
    );
  });

  it("deletes a server whose host is down, and the host removes the guest when it is back", async () => {
    assert.equal((await compute.call("DELETE", `/servers/${left}`)).status, 204);
    await gone(left);
    const common = { "X-Auth-Token": token };
    const { body: held } = await new Rest(`http://127.0.0.1:${deployment.ports.placement}`, common).call(
      "GET",
      `/allocations/${left}`,
    );
    const ports = await new Rest(`http://127.0.0.1:${deployment.ports.network}`, common).expect<
      readonly unknown[]
    >(200, "ports", "GET", `/v2.0/ports?device_id=${left}`);
    assert.deepEqual([held, ports], [{ allocations: {} }, []]);
    assert.ok(existsSync(guestFile(left)), "the guest is gone already: this proves nothing");
    const back = await deployment.compute("compute-2", ["host-2"], secondPort);
    await until(() => !existsSync(guestFile(left)), {
      timeoutMs: 90_000,
      everyMs: 100,
      what: "the guest to be removed",
    });
    // It says so right afterwards, over a pipe.
    await until(() => back.logged("agent.guest.removed", "instanceUuid") === left, {
      timeoutMs: 90_000,
      what: "its agent to tell of it",
    });
    await until(
      async () =>
        /kilonova_compute_deleted_guests_removed_total\{host="host-2"\} 1\n/.test(
          await (await fetch(`${back.statusUrl}/metrics`)).text(),
        ),
      { timeoutMs: 90_000, everyMs: 100, what: "its agent to count it" },
    );
  });

  it("reports its state on SIGUSR2 without secrets, and ends with 0 on SIGTERM, leaving the registry at once", async () => {
    const [, conductor] = conductors;
    assert.ok(conductor);
    conductor.send("SIGUSR2");
    const report = await until(() => conductor.lines.find((line) => line.includes("process.report")), {
      what: "the report",
    });
    assert.ok(report.includes('"name":"conductor"'), report);
    assert.ok(!report.includes(deployment.adminPassword));
    conductor.send("SIGTERM");
    assert.equal(await conductor.ended, 0, conductor.lines.slice(-5).join("\n"));
    // Long before its lease would end; whoever keeps the list hears of it a moment after the process ended.
    await until(async () => (await services("nova-conductor")).every(({ state }) => state === "down"), {
      timeoutMs: LEASE_MS / 2,
      everyMs: 50,
      what: "the conductors to be shown as down",
    });
    assert.equal((await services("nova-conductor")).length, 2);
  });
});
