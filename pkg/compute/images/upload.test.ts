import assert from "node:assert/strict";
import { fakeGlance } from "../../clients/glance/testing/fake-glance.js";
import { GlanceErrors } from "../../clients/glance/errors.js";
import { testCtx } from "../../testkit/ctx.js";
import { imageUploads } from "./upload.js";

const DATA = Buffer.alloc(1000, 7);
const ID = "1a000000-0000-4000-8000-00000000000a";

async function* inPieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < DATA.length; at += 300) yield DATA.subarray(at, at + 300);
}

describe("giving an image its data", () => {
  const opened = { times: 0 };
  const open = async () => {
    opened.times++;
    return { sizeBytes: DATA.length, data: inPieces() };
  };
  const clock = { sleep: async () => {} };
  beforeEach(() => {
    opened.times = 0;
  });

  it("tells how much has gone, in bytes, and ends with the image active", async () => {
    const glance = fakeGlance();
    await glance.createImage(testCtx(), { id: ID, name: "picture" });
    const told: number[] = [];
    await imageUploads({ glance, clock }).upload(testCtx(), ID, open, ({ done, total }) => {
      assert.equal(total, DATA.length);
      told.push(done);
    });
    assert.deepEqual(told, [300, 600, 900, 1000]);
    assert.deepEqual(
      [glance.images.get(ID)?.status, glance.images.get(ID)?.sizeBytes],
      ["active", DATA.length],
    );
  });

  it("does nothing for an image that has been given it before", async () => {
    const glance = fakeGlance();
    glance.add({ id: ID });
    await imageUploads({ glance, clock }).upload(testCtx(), ID, open, () => {});
    assert.equal(opened.times, 0);
  });

  it("begins again from the start when the service goes away or the last upload still ends", async () => {
    const glance = fakeGlance();
    await glance.createImage(testCtx(), { id: ID, name: "picture" });
    let calls = 0;
    const shaky: Pick<typeof glance, "getImage" | "upload"> = {
      getImage: async (ctx, id) => {
        const image = await glance.getImage(ctx, id);
        return ++calls === 1 ? { ...image, status: "saving" } : image;
      },
      upload: async (ctx, id, data) => {
        if (calls === 2) {
          for await (const _part of data) throw GlanceErrors.IMAGE_UNAVAILABLE({});
        }
        await glance.upload(ctx, id, data);
      },
    };
    await imageUploads({ glance: shaky, clock }).upload(testCtx(), ID, open, () => {});
    assert.deepEqual([calls, opened.times, glance.images.get(ID)?.sizeBytes], [3, 2, DATA.length]);
  });

  it("gives up when the image is gone, when nothing more may be tried, and when it is told to", async () => {
    const glance = fakeGlance();
    const uploads = imageUploads({ glance, clock });
    await assert.rejects(
      uploads.upload(testCtx(), ID, open, () => {}),
      { reason: "IMAGE_NOT_FOUND" },
    );
    glance.add({ id: ID, status: "deactivated" });
    await assert.rejects(
      uploads.upload(testCtx(), ID, open, () => {}),
      { reason: "IMAGE_CONFLICT" },
    );
    glance.add({ id: ID, status: "saving" });
    await assert.rejects(
      uploads.upload(testCtx(), ID, open, () => {}),
      { reason: "IMAGE_CONFLICT" },
    );
    const stop = new AbortController();
    stop.abort(new Error("given up"));
    await assert.rejects(
      uploads.upload(testCtx({ signal: stop.signal }), ID, open, () => {}),
      /given up/,
    );
    assert.equal(opened.times, 0);
  });
});
