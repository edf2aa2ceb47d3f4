import assert from "node:assert/strict";
import { RescueServerResponse } from "../../../../../gen/kilonova/api/v1/server_actions.js";
import { RescueErrors } from "../../../../api/errors.js";
import { startTestGateway } from "../../../testing/test-gateway.js";
import type { TestGateway } from "../../../testing/test-gateway.js";

const IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b";
const GONE = "70a599e0-31e7-49b7-b260-868f441e862c";

describe("gateway: rescue", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({
      servers: {
        rescueServer: async (_ctx, { imageId, adminPassword }) => {
          if (imageId === GONE) throw RescueErrors.IMAGE_NOT_FOUND({ image: GONE });
          return RescueServerResponse.fromPartial(adminPassword === undefined ? {} : { adminPassword });
        },
        unrescueServer: async () => ({ operation: undefined }),
      },
    });
  });
  after(() => gateway.close());

  const ask = async (body: object, version = "2.1") => {
    const answer = await gateway.ask("/v2.1/servers/x/action", {
      method: "POST",
      token: "member",
      version,
      body,
    });
    return [answer.status, answer.text] as const;
  };

  it("answers the password with 200, nothing where none was set, and unrescue with 202", async () => {
    for (const version of ["2.1", "2.104"]) {
      assert.deepEqual(await ask({ rescue: { adminPass: "p" } }, version), [200, '{"adminPass":"p"}']);
      assert.deepEqual(await ask({ rescue: null }, version), [200, "{}"]);
      assert.deepEqual(await ask({ unrescue: null }, version), [202, ""]);
    }
  });

  it("says in Nova's words that an image cannot be used", async () => {
    const [status, text] = await ask({ rescue: { rescue_image_ref: GONE } });
    assert.equal(status, 400);
    assert.deepEqual(JSON.parse(text), {
      badRequest: { code: 400, message: `Requested rescue image '${GONE}' is not supported` },
    });
  });

  const bad: readonly unknown[] = [
    { rescue_image_ref: "cirros" },
    { rescue_image_ref: null },
    { rescue_image_ref: `http://glance/images/${IMAGE}` },
    { adminPass: 7 },
    { adminPass: null },
    { image: IMAGE },
    "now",
    [],
  ];
  for (const body of bad)
    it(`refuses ${JSON.stringify(body)}`, async () => {
      gateway.calls.length = 0;
      assert.equal((await ask({ rescue: body }))[0], 400);
      assert.deepEqual(gateway.calls, []);
    });
});
