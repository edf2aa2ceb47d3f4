import { isStandardResourceClass } from "./standard-resource-classes.js";
import { isStandardTrait } from "./standard-traits.js";

const CUSTOM = /^CUSTOM_[A-Z0-9_]{1,248}$/;

/**
 * Whether a trait or resource class of this name may be made by a user: `CUSTOM_…`, 255 characters at most.
 */
export const isCustomName = (name: string): boolean => CUSTOM.test(name);

/**
 * Those of the names that are not standard, without repetitions: only these need a look into the database.
 */
export const nonStandardTraits = (names: Iterable<string>): string[] =>
  [...new Set(names)].filter((name) => !isStandardTrait(name));
export const nonStandardClasses = (names: Iterable<string>): string[] =>
  [...new Set(names)].filter((name) => !isStandardResourceClass(name));
