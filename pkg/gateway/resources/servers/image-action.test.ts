import assert from "node:assert/strict";
import {
  CreateServerBackupResponse,
  CreateServerImageResponse,
} from "../../../../gen/kilonova/api/v1/server_actions.js";
import { GetLimitsResponse } from "../../../../gen/kilonova/api/v1/limits_service.js";
import type { Answer, TestGateway } from "../../testing/test-gateway.js";
import { startTestGateway } from "../../testing/test-gateway.js";

const SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170";
const IMAGE = "5a000000-0000-4000-8000-000000000001";

describe("gateway: images of servers", () => {
  let gateway: TestGateway;
  let limit = 2n;
  before(async () => {
    gateway = await startTestGateway({
      servers: {
        createServerImage: async () => CreateServerImageResponse.fromPartial({ imageId: IMAGE }),
        createServerBackup: async () => CreateServerBackupResponse.fromPartial({ imageId: IMAGE }),
      },
      limits: {
        getLimits: async () => GetLimitsResponse.fromPartial({ limits: [{ name: "metadata_items", limit }] }),
      },
    });
  });
  after(() => gateway.close());

  const act = (version: string, body: object): Promise<Answer> =>
    gateway.ask(`/v2.1/servers/${SERVER}/action`, { method: "POST", version, body });
  const image = { createImage: { name: "picture" } };
  const backup = (rotation: number) => ({
    createBackup: { name: "picture", backup_type: "daily", rotation },
  });

  it("are told of in a header up to 2.44, and in the body from 2.45 on", async () => {
    for (const body of [image, backup(1)]) {
      const old = await act("2.44", body);
      assert.deepEqual([old.status, old.text], [202, ""]);
      assert.match(old.headers.location ?? "", new RegExp(`^http://.*/images/${IMAGE}$`));
      const now = await act("2.45", body);
      assert.deepEqual([now.status, now.json], [202, { image_id: IMAGE }]);
      assert.equal(now.headers.location, undefined);
    }
  });

  it("that are not kept are in no header", async () => {
    assert.equal((await act("2.44", backup(0))).headers.location, undefined);
    assert.deepEqual((await act("2.45", backup(0))).json, { image_id: IMAGE });
  });

  it("count for the quota of metadata up to 2.38", async () => {
    const metadata = { a: "1", b: "2", c: "3" };
    for (const body of [
      { createImage: { ...image.createImage, metadata } },
      { createBackup: { ...backup(1).createBackup, metadata } },
    ]) {
      const refused = await act("2.38", body);
      assert.deepEqual(
        [refused.status, refused.json],
        [403, { forbidden: { code: 403, message: "Image metadata limit exceeded" } }],
      );
      assert.equal((await act("2.39", body)).status, 202);
      limit = -1n;
      assert.equal((await act("2.38", body)).status, 202, "without a limit");
      limit = 2n;
    }
    assert.equal((await act("2.38", { createImage: { name: "x", metadata: { a: "1" } } })).status, 202);
  });

  it("refuse what is no name, no number and not known", async () => {
    for (const body of [
      { createImage: { name: "" } },
      { createImage: { name: " x " } },
      { createImage: { name: "x", rotation: 1 } },
      { createImage: { name: "x", metadata: { "k/v": "1" } } },
      { createImage: { name: "x", metadata: { k: 1 } } },
      { createBackup: { name: "x", backup_type: "daily" } },
      { createBackup: { name: "x", backup_type: "daily", rotation: -1 } },
      { createBackup: { name: "x", backup_type: 7, rotation: 1 } },
    ])
      assert.equal((await act("2.90", body)).status, 400, JSON.stringify(body));
  });
});
