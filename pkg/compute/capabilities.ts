import type { Capability } from "../model/operation-declaration.js";
import { CAPABILITIES } from "../model/operation-declaration.js";
import type { Driver } from "./driver.js";

/** What of a driver makes each capability: its presence is the capability. */
const NEEDED: Readonly<Record<Capability, readonly (keyof Driver)[]>> = {
  pause: ["pause", "unpause"],
  "set-admin-password": ["setAdminPassword"],
};

/** Whether a driver is able to do something. */
export const can = (driver: Driver, capability: Capability): boolean =>
  NEEDED[capability].every((method) => driver[method] !== undefined);

/** What a host with this driver registers. */
export const capabilitiesOf = (driver: Driver): Capability[] =>
  CAPABILITIES.filter((capability) => can(driver, capability));
