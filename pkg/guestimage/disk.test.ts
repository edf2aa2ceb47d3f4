import assert from "node:assert/strict";
import { diskLayout } from "./disk.js";

const mib = 1 << 20;

describe("guest image: disk layout", () => {
  for (const payload of [1, 15 * mib, 15 * mib + 1, 19_888_000]) {
    it(`aligns partitions to MiB and leaves room beside ${payload} bytes`, () => {
      const layout = diskLayout(payload);
      assert.equal(layout.bootBytes % mib, 0);
      assert.ok(layout.bootBytes >= payload + mib);
      assert.ok(layout.bootBytes < payload + 2 * mib);
      assert.equal(layout.persistOffset, layout.bootOffset + layout.bootBytes);
      assert.ok(layout.totalBytes - layout.persistOffset >= 8 * mib);
    });
  }
});
