import assert from "node:assert/strict";
import { can, capabilitiesOf } from "./capabilities.js";
import type { Driver, OptionalMethod } from "./driver.js";
import { FakeDriver } from "./drivers/fake/index.js";

/** A driver without some of its methods. */
const without = (...methods: OptionalMethod[]): Driver =>
  Object.assign(Object.create(new FakeDriver({ hostname: "h" })) as Driver, {
    ...Object.fromEntries(methods.map((method) => [method, undefined])),
  });

describe("what a host can do", () => {
  const has = (driver: Driver, ...names: string[]): boolean[] =>
    names.map((name) => capabilitiesOf(driver).includes(name));

  it("is registered under the names that processes of the version before know, too", () => {
    assert.deepEqual(has(without(), "pause", "set-admin-password"), [true, true]);
  });

  it("needs of the driver what all the commands call that share a capability", () => {
    assert.deepEqual(has(without("pause"), "pause", "set-admin-password"), [false, true]);
    assert.deepEqual(has(without("unpause"), "pause", "set-admin-password"), [false, true]);
    assert.deepEqual(has(without("setAdminPassword"), "pause", "set-admin-password"), [true, false]);
    assert.deepEqual(has(without("consoleLog"), "pause", "set-admin-password"), [true, true]);
  });

  it("is asked again before a command runs, and is nothing that no command needs", () => {
    assert.deepEqual([can(without(), "pause"), can(without("unpause"), "pause")], [true, false]);
    assert.equal(can(without(), "console-log"), false);
  });
});
