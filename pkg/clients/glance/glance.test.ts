import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { KilonovaError } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { failureOfAnswer } from "./errors.js";
import { patchJson, readImage } from "./image-json.js";
import { fakeGlance } from "./testing/fake-glance.js";
import { expectedHash, verified } from "./verified.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;

describe("glance client", () => {
  async function* inParts(data: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < data.length; at += 7) yield data.subarray(at, at + 7);
  }

  it("never gives out all of an image whose hash does not match", async () => {
    const data = randomBytes(30);
    const collect = async (hex: string): Promise<Buffer> => {
      const got: Uint8Array[] = [];
      try {
        for await (const part of verified(
          inParts(data),
          { algorithm: "sha512", hex },
          () => new Error("mismatch"),
        ))
          got.push(part);
      } catch {
        assert.ok(Buffer.concat(got).length < data.length);
        throw new Error("refused");
      }
      return Buffer.concat(got);
    };
    assert.ok(data.equals(await collect(createHash("sha512").update(data).digest("hex"))));
    await assert.rejects(collect("00"), /refused/);
  });

  it("prefers the strong hash that it can compute", () => {
    assert.deepEqual(expectedHash({ hashAlgorithm: "sha512", hashValue: "s", checksum: "m" }), {
      algorithm: "sha512",
      hex: "s",
    });
    assert.deepEqual(expectedHash({ hashAlgorithm: "whirlpool", hashValue: "s", checksum: "m" }), {
      algorithm: "md5",
      hex: "m",
    });
    assert.equal(
      expectedHash({ hashAlgorithm: undefined, hashValue: undefined, checksum: undefined }),
      undefined,
    );
  });

  it("tells properties from attributes", () => {
    const image = readImage({
      id: "i",
      name: null,
      status: "active",
      visibility: "public",
      created_at: "2026-11-22T11:40:46Z",
      updated_at: "2026-11-22T11:40:46Z",
      file: "/f",
      self: "/s",
      schema: "/x",
      size: 5,
      hw_machine_type: "q35",
      kernel_id: null,
      stores: "a",
    });
    assert.deepEqual(
      [image.name, image.sizeBytes, image.minDiskGib, image.properties],
      ["", 5, 0, { hw_machine_type: "q35" }],
    );
    assert.throws(() => readImage({ id: "i" }), reason("UNEXPECTED_ANSWER"));
    assert.deepEqual(
      patchJson([
        { op: "set", name: "a/b~c", value: "1" },
        { op: "remove", name: "x" },
      ]),
      [
        { op: "add", path: "/a~1b~0c", value: "1" },
        { op: "remove", path: "/x" },
      ],
    );
  });

  it("turns statuses into kinds", () => {
    const kinds = [400, 401, 403, 404, 409, 413, 503, 500].map(
      (status) => failureOfAnswer({ status }, "i").kind,
    );
    assert.deepEqual(kinds, [
      "invalid",
      "unauthenticated",
      "forbidden",
      "missing",
      "refused",
      "quota",
      "unavailable",
      "internal",
    ]);
  });

  it("has a twin in memory that behaves alike", async () => {
    const glance = fakeGlance();
    const image = await glance.createImage(testCtx(), { name: "a", properties: { x: "1" } });
    await assert.rejects(async () => {
      for await (const part of glance.download(testCtx(), image.id)) assert.ok(part);
    }, reason("IMAGE_NO_DATA"));
    await glance.upload(testCtx(), image.id, inParts(Buffer.from("hello world")));
    assert.deepEqual(
      (await glance.listImages(testCtx(), { properties: { x: "1" } })).map((one) => one.sizeBytes),
      [11],
    );
    await glance.deleteImage(testCtx(), image.id);
    await assert.rejects(glance.getImage(testCtx(), image.id), reason("IMAGE_NOT_FOUND"));
  });
});
