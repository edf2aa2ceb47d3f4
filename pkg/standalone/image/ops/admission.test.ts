import assert from "node:assert/strict";
import { rootCtx } from "../../../kernel/index.js";
import { imageConfig } from "../config.js";
import type { Image } from "../domain/model.js";
import { UploadLedger } from "../domain/upload-ledger.js";
import type { ImageParts } from "../ports.js";
import { admission } from "./admission.js";
import { Turns } from "./turns.js";

const MIB = 2 ** 20;

describe("the disk under uploads", () => {
  const ledger = new UploadLedger({ imageSizeTotalBytes: -1, imageCountUploading: -1 });
  const upload = (freeMib: number, announcedMib: number | undefined): ReturnType<typeof admission> =>
    admission(
      {
        ledger,
        turns: new Turns(),
        limits: { ...imageConfig.parse({}), freeSpaceMib: 10 },
        files: { freeBytes: async () => freeMib * MIB },
        images: { usage: async () => ({ bytes: 0 }) },
      } as unknown as ImageParts,
      rootCtx({ requestId: "req-upload" }),
      { owner: "p" } as Image,
      announcedMib === undefined ? undefined : announcedMib * MIB,
    );

  it("must keep its free space with what was announced on it", async () => {
    (await upload(15, 5)).end(false);
    await assert.rejects(upload(15, 6), { reason: "DISK_FULL" });
    assert.equal(ledger.uploading("p"), 0);
  });

  it("must have room for the first pieces of who announces nothing", async () => {
    (await upload(14, undefined)).end(false);
    await assert.rejects(upload(13, undefined), { reason: "DISK_FULL" });
  });
});
