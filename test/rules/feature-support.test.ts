import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Driver, OptionalMethod } from "../../pkg/compute/driver.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { drivers, page } from "../../scripts/features/page.js";
import { features } from "../../scripts/features/rows.js";
import { judge } from "../../scripts/features/support.js";
import type { Feature, JudgedDriver } from "../../scripts/features/support.js";

/** Nova's matrix as of August 2026. */
const ROWS = 59;

const named = (name: string): JudgedDriver =>
  drivers().find((one) => one.name === name) ?? assert.fail(`no driver ${name}`);
const row = (id: string): Feature => features.find((one) => one.row === id) ?? assert.fail(`no row ${id}`);
const mark = (id: string, driver: JudgedDriver): string => judge(row(id), driver).mark;

/** The same driver without some of its methods. */
const without = (judged: JudgedDriver, ...methods: OptionalMethod[]): JudgedDriver => ({
  ...judged,
  driver: Object.assign(Object.create(judged.driver) as Driver, {
    ...Object.fromEntries(methods.map((method) => [method, undefined])),
  }),
});

describe("the matrix of features", () => {
  it("has each of Nova's rows once", () => {
    assert.equal(new Set(features.map((one) => one.row)).size, ROWS);
    assert.equal(features.length, ROWS);
  });

  it("is committed as the code has it", () => {
    const path = join(packageRoot(), "docs", "user", "feature-support.md");
    assert.equal(readFileSync(path, "utf8"), page(drivers()), "run npm run gen");
  });

  it("loses a mark with the driver's capability, and the page with it", () => {
    const whole = named("qemu");
    for (const [id, method] of [
      ["operation.pause", "unpause"],
      ["operation.suspend", "resume"],
      ["operation.snapshot", "openSnapshot"],
      ["console.serial.log", "consoleLog"],
      ["operation.cache-images", "imagesInUse"],
    ] as const) {
      const poorer = without(whole, method);
      assert.deepEqual([mark(id, whole), mark(id, poorer)], ["complete", "missing"], id);
      assert.notEqual(page([poorer]), page([whole]), id);
    }
  });

  it("loses a mark with a trait that hosts do not report any more", () => {
    const whole = named("qemu");
    const poorer = { ...whole, traits: whole.traits.filter((name) => !name.startsWith("HW_CPU_")) };
    assert.equal(mark("operation.report-cpu-traits", whole), "complete");
    assert.equal(mark("operation.report-cpu-traits", poorer), "missing");
  });

  it("gains what was only lacking a trait, and says no more what was lacking", () => {
    const whole = named("qemu");
    const richer = { ...whole, traits: [...whole.traits, "COMPUTE_DEVICE_TAGGING"] };
    assert.deepEqual(judge(row("operation.device-tags"), richer), { mark: "complete", why: "" });
    const { why } = judge(row("operation.device-tags"), {
      ...whole,
      traits: whole.traits.filter((one) => one !== "COMPUTE_DEVICE_TAGGING"),
    });
    assert.notEqual(why, "");
  });

  it("does not call complete what a method serves that nobody serves", () => {
    const feature = { row: "x", what: "x", needs: { methods: ["FlyServer"] }, tests: [] };
    assert.equal(judge(feature, named("qemu")).mark, "missing");
  });

  it("names a test that is there for every row that the real driver has", () => {
    const qemu = named("qemu");
    assert.deepEqual(
      features
        .filter((one) => judge(one, qemu).mark !== "missing" && one.tests.length === 0)
        .map((one) => one.row),
      [],
    );
    const files = features.flatMap(({ tests }) => tests);
    assert.deepEqual(
      files.filter((file) => !existsSync(join(packageRoot(), file))),
      [],
    );
  });
});
