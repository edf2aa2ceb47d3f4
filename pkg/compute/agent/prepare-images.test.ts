import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { CommonErrors } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import type { PowerState } from "../driver.js";
import { restoreImages } from "./prepare-images.js";

const [ROOT, KERNEL, ID] = ["/images/root.raw", "/images/kernel.raw", "6f70656e-7374-4163-8b00-000000000001"];
const instance = InstanceRecord.fromPartial({
  server: { id: ID },
  spec: { image: { id: "root", name: "root" }, kernel: { id: "kernel", name: "kernel" } },
});

/**
 * A host that lacks some images and has a guest; what is fetched is there then, unless it comes elsewhere.
 */
function aHost(lost: readonly string[], { power = "SHUTDOWN" as PowerState, comesElsewhere = false } = {}) {
  const missing = new Set(lost);
  const fetched: string[] = [];
  return {
    fetched,
    driver: {
      missingImages: async () => [...missing],
      inspect: async () => ({ instanceUuid: ID, powerState: power, pid: 0 }),
    },
    images: {
      prepare: async (_ctx: unknown, { id }: { readonly id: string }) => {
        const path = `/images/${id}.raw`;
        fetched.push(id);
        if (!comesElsewhere) missing.delete(path);
        return { imageId: id, path, virtualSizeBytes: 1 };
      },
    },
  };
}

describe("images that were lost from the cache", () => {
  it("are fetched again before their guest starts", async () => {
    const host = aHost([ROOT, KERNEL]);
    await restoreImages(testCtx(), host, instance);
    assert.deepEqual(host.fetched.sort(), ["kernel", "root"]);
  });

  it("are asked of nobody while all are there, or where the driver has no images", async () => {
    const host = aHost([]);
    await restoreImages(testCtx(), host, instance);
    const { inspect } = host.driver;
    await restoreImages(testCtx(), { ...host, driver: { inspect } }, instance);
    assert.equal(host.fetched.length, 0);
  });

  it("are not needed by a guest that is up, unless it is started anew", async () => {
    for (const power of ["RUNNING", "PAUSED"] as const) {
      const host = aHost([ROOT], { power });
      await restoreImages(testCtx(), host, instance);
      assert.equal(host.fetched.length, 0);
      await restoreImages(testCtx(), host, instance, "anew");
      assert.ok(host.fetched.includes("root"));
    }
    const suspended = aHost([ROOT], { power: "SUSPENDED" });
    await restoreImages(testCtx(), suspended, instance);
    assert.ok(suspended.fetched.includes("root"));
  });

  it("keep their guest off when what comes is not what the guest stands on", async () => {
    const host = aHost([ROOT], { comesElsewhere: true });
    await assert.rejects(restoreImages(testCtx(), host, instance), { reason: "BASE_IMAGE_LOST" });
  });

  it("keep their guest off while they cannot be had", async () => {
    const { driver } = aHost([ROOT]);
    const images = {
      prepare: async () => {
        throw CommonErrors.UNAVAILABLE({ what: "The Image service" });
      },
    };
    await assert.rejects(restoreImages(testCtx(), { driver, images }, instance), { reason: "UNAVAILABLE" });
  });
});
