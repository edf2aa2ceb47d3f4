import type { DriverHost, OpenedDriver, Parsed } from "./driver-kind.js";
import { fake } from "./fake/kind.js";
import { qemu } from "./qemu/kind.js";

/** Every hypervisor driver, by the name that operators choose it by. A new one is a line here. */
export const drivers = {
  qemu,
  fake,
} as const;

export type DriverName = keyof typeof drivers;
export const driverNames = Object.keys(drivers) as [DriverName, ...DriverName[]];

type Both<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;
/** The options of all drivers together, which is what the section `compute` holds. */
type AllOptions = Both<(typeof drivers)[DriverName]["options"]>;
export const driverOptions = Object.assign(
  {},
  ...driverNames.map((name) => drivers[name].options),
) as AllOptions;

/** @throws what the driver lacks on this machine, for the operator */
export const openDriver = (
  name: DriverName,
  host: DriverHost,
  options: Parsed<AllOptions>,
): Promise<OpenedDriver> => drivers[name].open(host, options);
