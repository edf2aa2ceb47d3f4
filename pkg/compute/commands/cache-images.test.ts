import assert from "node:assert/strict";
import { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import { CommonErrors, rootCtx } from "../../kernel/index.js";
import { ImageErrors } from "../images/errors.js";
import cacheImages from "./cache-images.js";
import type { CommandHost } from "./command.js";

const run = (
  cacheImage: CommandHost["cacheImage"],
  signal = new AbortController().signal,
  images: ImageRef[] = [],
) =>
  cacheImages.run(
    {
      ctx: rootCtx({ requestId: "req-1", signal }),
      serverId: "",
      host: { cacheImage } as CommandHost,
      tell: () => undefined,
    },
    { imageIds: ["a", "b", "c"], images },
  );

describe("caching images", () => {
  it("tells which were fetched, and which are missing and why; one that fails does not stop the others", async () => {
    const output = await run(async (_ctx, { id: imageId }) => {
      if (imageId === "b") throw ImageErrors.IMAGE_NOT_ACTIVE({ imageId });
      return imageId === "c";
    });
    assert.deepEqual(output.fetchedIds, ["c"]);
    assert.deepEqual(
      output.failures.map(({ imageId, reason }) => [imageId, reason]),
      [["b", "IMAGE_NOT_ACTIVE"]],
    );
  });

  it("asks for the data that was accepted, and for nothing else", async () => {
    const images = [ImageRef.fromPartial({ id: "c", checksum: "5", sizeBytes: 7n })];
    const asked: ImageRef[] = [];
    const output = await run(
      async (_ctx, image) => {
        asked.push(image);
        return true;
      },
      undefined,
      images,
    );
    assert.deepEqual([asked, output.fetchedIds], [images, ["c"]]);
  });

  it("fails as a whole while the Image service is away", () =>
    assert.rejects(
      run(async () => {
        throw CommonErrors.UNAVAILABLE({ what: "The Image service" });
      }),
      { reason: "UNAVAILABLE" },
    ));

  it("begins with no further image once a newer command has taken over", async () => {
    const stop = new AbortController();
    const asked: string[] = [];
    await assert.rejects(
      run(async (_ctx, { id }) => {
        asked.push(id);
        stop.abort(new Error("taken over"));
        return true;
      }, stop.signal),
      /taken over/,
    );
    assert.deepEqual(asked, ["a"]);
  });
});
