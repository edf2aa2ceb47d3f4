import assert from "node:assert/strict";
import { Metrics } from "../telemetry/index.js";
import { advertised, parseAddress } from "./address.js";
import { clusterSections, processSections } from "./config.js";
import { readConfig } from "./options.js";
import { Readiness, startStatusServer } from "./status-server.js";

const sections = { ...processSections, ...clusterSections };

describe("platform/service: options", () => {
  it("lets flags win over the environment, and reads lists in both", () => {
    const { registry, rpc } = readConfig(
      sections,
      ["--set", "registry.etcdEndpoints=[http://a:1, http://b:1]", "--set", "rpc.listen=127.0.0.1:9"],
      { KILONOVA_RPC_LISTEN: "127.0.0.1:8", KILONOVA_RPC_AGENT_CHANNELS: "7" },
    );
    assert.deepEqual(
      [registry.etcdEndpoints, rpc.listen, rpc.agentChannels],
      [["http://a:1", "http://b:1"], "127.0.0.1:9", 7],
    );
  });

  it("refuses flags that nobody knows", () => {
    assert.throws(() => readConfig(sections, ["--set", "rpc.lisen=1"], {}), /there is no option rpc\.lisen/);
    assert.throws(() => readConfig(sections, ["--set", "rpc"], {}), { reason: "BAD_FLAG" });
    assert.throws(() => readConfig(sections, ["--colour"], {}), { reason: "BAD_FLAG" });
    assert.throws(
      () => readConfig(sections, [], { KILONOVA_API_PORT: "tcp://10.0.0.1:8770" }),
      /unknown environment variable KILONOVA_API_PORT/,
    );
  });

  it("reads addresses, and advertises only what others can reach", () => {
    assert.deepEqual(parseAddress("rpc.listen", "[::1]:8782"), { host: "::1", port: 8782 });
    assert.throws(() => parseAddress("rpc.listen", "8782"), /rpc\.listen: "8782" is not host:port/);
    assert.throws(() => parseAddress("rpc.listen", "a:70000"), { reason: "BAD_ADDRESS" });
    assert.equal(advertised({ host: "0.0.0.0", port: 1 }, "fd00::1"), "[fd00::1]:1");
    assert.equal(advertised({ host: "127.0.0.1", port: 1 }, ""), "127.0.0.1:1");
    assert.throws(() => advertised({ host: "0.0.0.0", port: 1 }, ""), /set rpc\.advertiseHost/);
  });
});

describe("platform/service: status port", () => {
  it("says why a process is not ready", async () => {
    const readiness = new Readiness();
    let registry: true | string = "etcd has not answered yet";
    readiness.check("registry", () => registry);
    readiness.check("process", () => true);
    const server = await startStatusServer({
      listen: { host: "127.0.0.1", port: 0 },
      readiness,
      metrics: new Metrics(),
    });
    const ready = async (): Promise<unknown> => {
      const r = await fetch(`${server.url}/readyz`);
      return [r.status, await r.json()];
    };
    assert.deepEqual(await ready(), [
      503,
      { ready: false, missing: { registry: "etcd has not answered yet" } },
    ]);
    registry = true;
    assert.deepEqual(await ready(), [200, { ready: true, missing: {} }]);
    assert.equal((await fetch(`${server.url}/nothing`)).status, 404);
    assert.equal((await fetch(`${server.url}/healthz`, { method: "POST" })).status, 405);
    await server.close();
  });
});
