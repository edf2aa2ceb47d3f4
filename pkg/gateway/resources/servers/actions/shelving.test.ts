import assert from "node:assert/strict";
import { ShelveErrors } from "../../../../api/errors.js";
import { startTestGateway } from "../../../testing/test-gateway.js";
import type { TestGateway } from "../../../testing/test-gateway.js";

const OF_ALL = ["2.1", "2.76", "2.77", "2.90", "2.91", "2.104"];

describe("gateway: shelving", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({
      servers: {
        shelveServer: async () => ({ operation: undefined }),
        unshelveServer: async (_ctx, { availabilityZone }) => {
          if (availabilityZone === "taken")
            throw ShelveErrors.NOT_OFFLOADED({ server: "x", state: "shelved" });
          return { operation: undefined };
        },
      },
    });
  });
  after(() => gateway.close());
  beforeEach(() => gateway.calls.splice(0));

  const ask = async (body: object, version: string) => {
    const answer = await gateway.ask("/v2.1/servers/x/action", {
      method: "POST",
      token: "member",
      version,
      body,
    });
    return [answer.status, answer.text] as const;
  };

  it("answers 202 and nothing in every version", async () => {
    for (const version of OF_ALL) {
      assert.deepEqual(await ask({ shelve: null }, version), [202, ""]);
      assert.deepEqual(await ask({ unshelve: null }, version), [202, ""]);
    }
  });

  /** Bodies of unshelve, the versions that take them, and what becomes of them there. */
  const bodies: readonly (readonly [unknown, readonly string[]])[] = [
    [{}, ["2.1", "2.76", "2.91", "2.104"]],
    [{ availability_zone: "z" }, OF_ALL],
    [{ availability_zone: null }, ["2.1", "2.76", "2.91", "2.104"]],
    [{ availability_zone: "" }, ["2.1", "2.76", "2.91", "2.104"]],
    [{ availability_zone: " z" }, ["2.1", "2.76", "2.91", "2.104"]],
    [{ host: "h" }, ["2.1", "2.76", "2.91", "2.104"]],
    [{ availability_zone: "z", host: "h" }, ["2.1", "2.76", "2.91", "2.104"]],
    [{ host: null }, ["2.1", "2.76"]],
    [{ zone: "z" }, ["2.1", "2.76"]],
    ["now", ["2.1", "2.76"]],
    [[], ["2.1", "2.76"]],
  ];
  for (const [value, taken] of bodies)
    it(`takes unshelve ${JSON.stringify(value)} in ${taken.join(", ")}`, async () => {
      for (const version of OF_ALL) {
        const [status] = await ask({ unshelve: value }, version);
        assert.equal(status, taken.includes(version) ? 202 : 400, version);
      }
    });

  it("says in Nova's words that a server that has its host cannot be placed", async () => {
    const [status, text] = await ask({ unshelve: { availability_zone: "taken" } }, "2.77");
    assert.equal(status, 409);
    assert.deepEqual(JSON.parse(text), {
      conflictingRequest: {
        code: 409,
        message:
          'Specifying an availability zone or a host when unshelving server "x" with status "shelved" is not supported. The server status must be SHELVED_OFFLOADED.',
      },
    });
  });
});
