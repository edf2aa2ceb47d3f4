import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { failureOfAnswer } from "./errors.js";
import { createPortJson, shapes, updatePortJson } from "./json.js";
import { listingPages } from "./pages.js";
import { fakeNeutron } from "./testing/fake-neutron.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;

describe("neutron client", () => {
  it("goes by Neutron's own type before the status", () => {
    const of = (status: number, type: string, message = ""): string =>
      failureOfAnswer({ status, headers: {}, json: { NeutronError: { type, message, detail: "" } } }, "n")
        .reason;
    assert.equal(of(409, "IpAddressGenerationFailure"), "NO_MORE_FIXED_IPS");
    assert.equal(of(409, "OverQuota", "Quota exceeded for resources: ['port']."), "PORT_LIMIT_EXCEEDED");
    assert.equal(of(409, "OverQuota", "Quota exceeded for resources: ['floatingip']."), "QUOTA_EXCEEDED");
    assert.equal(of(404, "SomethingNotFound"), "NOT_FOUND");
    assert.equal(of(409, "constructor"), "NETWORK_CONFLICT");
    assert.equal(failureOfAnswer({ status: 503, headers: {}, json: undefined }, "n").kind, "unavailable");
    assert.equal(failureOfAnswer({ status: 418, headers: {}, json: undefined }, "n").kind, "internal");
  });

  it("sends what is given and nothing else", () => {
    assert.deepEqual(
      createPortJson({
        name: "a",
        networkId: "n",
        projectId: "p",
        deviceId: "d",
        fixedIps: [{ ipAddress: "1.2.3.4" }],
      }),
      {
        port: {
          name: "a",
          network_id: "n",
          tenant_id: "p",
          device_id: "d",
          admin_state_up: true,
          fixed_ips: [{ ip_address: "1.2.3.4" }],
        },
      },
    );
    assert.deepEqual(updatePortJson({ bindingHostId: "", bindingProfile: {} }), {
      port: { "binding:host_id": null, "binding:profile": {} },
    });
  });

  it("reads what other deployments leave out", () => {
    const port = shapes.port.parse({
      id: "i",
      network_id: "n",
      tenant_id: "t",
      security_groups: null,
      "binding:profile": null,
    });
    assert.deepEqual(
      [port.projectId, port.vnicType, port.portSecurityEnabled, port.bindingProfile, port.ipAllocation],
      ["t", "normal", true, {}, "immediate"],
    );
  });

  it("asks for long lists in parts and follows links", async () => {
    const asked: number[] = [];
    const all = await listingPages(
      { id: Array.from({ length: 250 }, (_, n) => String(n)) },
      async (query) => {
        const ids = query["id"] as string[];
        asked.push(ids.length);
        const first = query["marker"] === undefined;
        return {
          extensions: [{ alias: `${ids[0]}${first ? "a" : "b"}` }],
          ...(first ? { extensions_links: [{ rel: "next", href: "http://x/y?marker=m" }] } : {}),
        };
      },
      "extensions",
      shapes.extension,
    );
    assert.deepEqual(asked, [100, 100, 100, 100, 50, 50]);
    assert.deepEqual(
      all.map((one) => one.alias),
      ["0a", "0b", "100a", "100b", "200a", "200b"],
    );
    assert.deepEqual(
      await listingPages({ id: [] }, async () => assert.fail("nothing to ask"), "x", shapes.extension),
      [],
    );
    await assert.rejects(
      listingPages({}, async () => ({}), "x", shapes.extension),
      reason("UNEXPECTED_ANSWER"),
    );
    await assert.rejects(
      listingPages(
        {},
        async () => ({ x: [], x_links: [{ rel: "next", href: "/?marker=1" }] }),
        "x",
        shapes.extension,
      ),
      reason("UNEXPECTED_ANSWER"),
    );
  });

  it("has a twin in memory that behaves alike", async () => {
    const neutron = fakeNeutron();
    const network = neutron.addNetwork();
    neutron.addSubnet({ networkId: network.id });
    const wish = { name: "p", networkId: network.id, projectId: "x", deviceId: "d" };
    const port = await neutron.createPort(testCtx(), { ...wish, fixedIps: [{ ipAddress: "10.0.0.5" }] });
    await assert.rejects(
      neutron.createPort(testCtx(), { ...wish, fixedIps: [{ ipAddress: "10.0.0.5" }] }),
      reason("FIXED_IP_IN_USE"),
    );
    assert.equal((await neutron.updatePort(testCtx(), port.id, { bindingHostId: "h" })).status, "ACTIVE");
    await neutron.createPortBinding(testCtx(), port.id, { host: "g" });
    await neutron.activatePortBinding(testCtx(), port.id, "g");
    assert.deepEqual(
      (await neutron.listPortBindings(testCtx(), port.id)).map((one) => `${one.host} ${one.status}`),
      ["g ACTIVE", "h INACTIVE"],
    );
    await neutron.deletePort(testCtx(), port.id);
    await assert.rejects(neutron.getPort(testCtx(), port.id), reason("PORT_NOT_FOUND"));
  });
});
