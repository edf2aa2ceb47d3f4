export { FAKE_METHODS, FakeDriver } from "./driver.js";
export type { FakeDriverOptions } from "./fake-host.js";
export type { FakeMethod, FakeRule } from "./rules.js";
export type { FakeGuest } from "./guest-file.js";
