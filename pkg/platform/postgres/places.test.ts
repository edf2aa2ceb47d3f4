import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { choosePlaces, knownBase } from "./places.js";

describe("where the embedded database lies", () => {
  const { uid, gid } = userInfo();
  const account = { uid, gid, name: userInfo().username };
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-places-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is remembered", async () => {
    const places = await choosePlaces(dir, account);
    assert.equal(await knownBase(dir), places.base);
    assert.deepEqual(await choosePlaces(dir, account), places);
  });

  for (const [what, spoil] of [
    ["cannot be read", (file: string) => mkdirSync(file)],
    ["is no JSON", (file: string) => writeFileSync(file, "{")],
    ["says something else", (file: string) => writeFileSync(file, "{}")],
  ] as const)
    it(`is not chosen anew when the record ${what}`, async () => {
      const { base } = await choosePlaces(dir, account);
      const file = join(dir, "postgres.json");
      rmSync(file);
      spoil(file);
      await assert.rejects(choosePlaces(dir, account), { reason: "RECORD_UNREADABLE" });
      await assert.rejects(knownBase(dir), { reason: "RECORD_UNREADABLE" });
      assert.ok(existsSync(base));
    });
});
