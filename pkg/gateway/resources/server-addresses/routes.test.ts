import assert from "node:assert/strict";
import { AddressErrors } from "../../../api/errors.js";
import { startTestGateway } from "../../testing/test-gateway.js";
import type { TestGateway } from "../../testing/test-gateway.js";

const ADDRESS = "192.0.2.9";

describe("gateway: addresses of a server", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({
      addresses: {
        addFixedIp: async (_ctx, { networkId }) => {
          if (networkId === "full") throw AddressErrors.NO_MORE_FIXED_IPS({ network: networkId });
          return {};
        },
        removeFixedIp: async () => ({}),
        addFloatingIp: async () => ({}),
        removeFloatingIp: async (_ctx, { serverId, address }) => {
          if (address !== ADDRESS)
            throw AddressErrors.FLOATING_IP_NOT_OF_SERVER({ server: serverId, address });
          return {};
        },
      },
    });
  });
  after(() => gateway.close());

  const ask = async (body: object, version: string) => {
    const answer = await gateway.ask("/v2.1/servers/x/action", {
      method: "POST",
      token: "member",
      version,
      body,
    });
    return [answer.status, answer.text] as const;
  };

  const good = [
    { addFixedIp: { networkId: "n" } },
    { addFixedIp: { networkId: 7 } },
    { removeFixedIp: { address: ADDRESS } },
    { addFloatingIp: { address: ADDRESS } },
    { addFloatingIp: { address: ADDRESS, fixed_address: "2001:db8::1" } },
    { removeFloatingIp: { address: ADDRESS } },
  ];
  for (const body of good)
    it(`takes ${JSON.stringify(body)} until 2.43`, async () => {
      for (const version of ["2.1", "2.43"]) assert.deepEqual(await ask(body, version), [202, ""]);
      for (const version of ["2.44", "2.104"]) assert.equal((await ask(body, version))[0], 404);
    });

  const bad = [
    { addFixedIp: {} },
    { addFixedIp: null },
    { addFixedIp: { networkId: "" } },
    { addFixedIp: { networkId: "n".repeat(37) } },
    { addFixedIp: { networkId: "n", more: 1 } },
    { removeFixedIp: { address: "" } },
    { removeFixedIp: { address: "10.0.0.0/24" } },
    { removeFixedIp: { address: null } },
    { addFloatingIp: { address: "x" } },
    { addFloatingIp: { address: ADDRESS, fixed_address: "" } },
    { addFloatingIp: { address: ADDRESS, pool: "public" } },
    { removeFloatingIp: {} },
  ];
  for (const body of bad)
    it(`refuses ${JSON.stringify(body).slice(0, 80)}`, async () => {
      assert.equal((await ask(body, "2.43"))[0], 400);
    });

  it("says in Nova's words what is refused", async () => {
    const [full, foreign] = [
      await ask({ addFixedIp: { networkId: "full" } }, "2.1"),
      await ask({ removeFloatingIp: { address: "192.0.2.1" } }, "2.1"),
    ];
    assert.deepEqual(
      [full[0], JSON.parse(full[1])],
      [400, { badRequest: { code: 400, message: "No fixed IP addresses available for network: full" } }],
    );
    assert.deepEqual(
      [foreign[0], JSON.parse(foreign[1])],
      [
        409,
        {
          conflictingRequest: {
            code: 409,
            message: "Floating IP 192.0.2.1 is not associated with instance x.",
          },
        },
      ],
    );
  });
});
