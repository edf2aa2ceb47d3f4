import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { computeConfig } from "../config.js";
import { driverNames, drivers, openDriver } from "./index.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the registry of drivers", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-drivers-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is where operators' choice comes from", () => {
    for (const name of driverNames) assert.equal(computeConfig.parse({ driver: name }).driver, name);
    assert.throws(() => computeConfig.parse({ driver: "abacus" }));
    const said = computeConfig.shape.driver.description ?? "";
    for (const name of driverNames) assert.ok(said.includes(`\`${name}\` ${drivers[name].does}`), said);
  });

  it("opens each by its name, with options of its own that no other driver has", async () => {
    const host = { name: "h", address: "127.0.0.1", guestsDir: dir, imagesDir: dir, share: 1 };
    const { driver, isolation } = await openDriver("fake", host, computeConfig.parse({}));
    assert.deepEqual([driver.name, isolation], ["fake", undefined]);
    const options = driverNames.flatMap((name) => Object.keys(drivers[name].options));
    assert.equal(new Set(options).size, options.length);
    for (const option of options) assert.ok(option in computeConfig.shape, option);
  });

  for (const name of driverNames)
    it(`has ${name} with documented options and a run of the conformance suite`, () => {
      for (const [option, schema] of Object.entries(drivers[name].options))
        assert.ok((schema as { readonly description?: string }).description, option);
      const places = [
        `pkg/compute/drivers/${name}/driver.test.ts`,
        `test/integration/${name}-driver.test.ts`,
      ];
      assert.ok(places.some((place) => existsSync(join(root, place))));
    });
});
