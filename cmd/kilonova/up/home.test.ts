import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../../pkg/kernel/index.js";
import { openHome } from "./home.js";

describe("the state directory", () => {
  let home: string;
  beforeEach(() => {
    home = join(mkdtempSync(join(tmpdir(), "kilonova-home-")), "home");
  });
  afterEach(() => rmSync(join(home, ".."), { recursive: true }));

  const marker = (): unknown => JSON.parse(readFileSync(join(home, "kilonova.state"), "utf8"));
  const put = (name: string, content = ""): void => {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, name), content);
  };
  const open = async (fresh = false): Promise<void> => (await openHome(home, fresh)).release();
  const refused =
    (reason: string) =>
    (error: unknown): boolean =>
      error instanceof KilonovaError && error.reason === reason;

  for (const [moment, left] of [
    ["nothing was there yet", []],
    ["the folder was made", ["."]],
    ["the lock was being written", [".kilonova.lock.1.0f0e"]],
    ["the lock was taken", ["kilonova.lock.1"]],
    ["the marker was being written", ["kilonova.lock.1", "kilonova.state.tmp"]],
  ] as const) {
    it(`is opened when an earlier start was killed when ${moment}`, async () => {
      for (const name of left)
        if (name === ".") mkdirSync(home);
        else put(name);
      await open();
      assert.deepEqual(marker(), { version: 1 });
      await open();
    });
  }

  it("is held by one at a time", async () => {
    const lock = await openHome(home, false);
    for (const fresh of [false, true])
      await assert.rejects(openHome(home, fresh), refused("ALREADY_RUNNING"));
    await lock.release();
    await open();
  });

  it("is refused, and left as it is, with files of others", async () => {
    put("thesis.txt", "years of work");
    for (const fresh of [false, true]) await assert.rejects(openHome(home, fresh), refused("NOT_OURS"));
    assert.deepEqual(readdirSync(home), ["thesis.txt"]);
  });

  for (const [found, content] of [
    ["999", `{"version":999}`],
    ["unknown", "{}"],
    ["unknown", "no json"],
  ] as const) {
    it(`is refused with a marker that says ${content}`, async () => {
      put("kilonova.state", content);
      put("secrets.json", "{}");
      await assert.rejects(
        openHome(home, false),
        (error) => refused("OTHER_STATE")(error) && String(error).includes(`version ${found};`),
      );
      assert.ok(existsSync(join(home, "secrets.json")));
      await open(true);
      assert.ok(!existsSync(join(home, "secrets.json")));
    });
  }

  it("is forgotten without what links in it point to", async () => {
    await open();
    put("secrets.json", "{}");
    writeFileSync(join(home, "..", "keep.txt"), "mine");
    symlinkSync("..", join(home, "link"));
    await open(true);
    assert.deepEqual(
      readdirSync(home).filter((name) => !name.startsWith("kilonova.lock.")),
      ["kilonova.state"],
    );
    assert.equal(readFileSync(join(home, "..", "keep.txt"), "utf8"), "mine");
  });

  it("is forgotten to the end when that was killed midway", async () => {
    put("kilonova.state", `{"version":1,"forgetting":true}`);
    put("admin-openrc.sh");
    await open();
    assert.ok(!existsSync(join(home, "admin-openrc.sh")));
    assert.deepEqual(marker(), { version: 1 });
  });
});
