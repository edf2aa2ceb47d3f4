export { FakeDriver } from "./driver.js";
export type { FakeDriverOptions } from "./driver.js";
export { FAKE_METHODS } from "./rules.js";
export type { FakeMethod, FakeRule } from "./rules.js";
export type { FakeGuest } from "./guest-file.js";
