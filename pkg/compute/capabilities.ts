import type { Command } from "./commands/command.js";
import { commands } from "./commands/index.gen.js";
import type { Driver, OptionalMethod } from "./driver.js";

/** What of a driver makes each capability, by its name: what the commands that need it call. */
const NEEDED: ReadonlyMap<string, readonly OptionalMethod[]> = methodsByCapability(commands);

/** @param among  commands, of which some may share a capability */
function methodsByCapability(among: readonly Command[]): Map<string, readonly OptionalMethod[]> {
  const found = new Map<string, readonly OptionalMethod[]>();
  for (const { capability } of among)
    if (capability !== undefined)
      found.set(capability.name, [...(found.get(capability.name) ?? []), ...capability.methods]);
  return found;
}

/** Whether a driver is able to do something; nothing is what no command needs. */
export const can = (driver: Driver, capability: string): boolean =>
  NEEDED.get(capability)?.every((method) => driver[method] !== undefined) ?? false;

/** What a host with this driver registers. */
export const capabilitiesOf = (driver: Driver): string[] =>
  [...NEEDED.keys()].filter((capability) => can(driver, capability));
