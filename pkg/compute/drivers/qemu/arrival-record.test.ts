import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArrivalRecord } from "./arrival-record.js";
import { guestPaths } from "./guest-paths.js";

describe("how far disks have come", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "kilonova-arrival-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const aFolder = () => {
    const paths = guestPaths(home, home, "6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11");
    mkdirSync(paths.dir);
    return paths;
  };

  it("is remembered by disk, and of one transfer only", async () => {
    const paths = aFolder();
    assert.equal(await ArrivalRecord.find(paths, "t"), undefined);
    const record = await ArrivalRecord.begin(paths, "t");
    await record.note("root", 512);
    await record.note("root", 1024);
    const again = await ArrivalRecord.find(paths, "t");
    assert.deepEqual([again?.of("root"), again?.of("ephemeral0")], [1024, 0]);
    assert.equal(await ArrivalRecord.find(paths, "another"), undefined);
    await ArrivalRecord.begin(paths, "t");
    assert.equal((await ArrivalRecord.find(paths, "t"))?.of("root"), 0);
  });

  for (const text of ["", "{", '{"transferId":"t"}', '{"transferId":"t","reached":{"root":"all"}}'])
    it(`is nothing when the record says ${JSON.stringify(text)}`, async () => {
      const paths = aFolder();
      writeFileSync(paths.arriving, text);
      assert.equal(await ArrivalRecord.find(paths, "t"), undefined);
    });
});
