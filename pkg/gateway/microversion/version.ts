/** The minor number of a Compute API microversion: 104 stands for 2.104. The major number is always 2. */
export type Microversion = number;

export const MIN_VERSION: Microversion = 1;
export const MAX_VERSION: Microversion = 104;

/**
 * Microversions from `min` to `max`, both included. Features, fields, parameters and switches live in spans;
 * handlers never compare versions.
 */
export interface Span {
  readonly min: Microversion;
  readonly max: Microversion;
}

type VersionText = `2.${number}`;

const minor = (text: VersionText): Microversion => {
  const value = Number(text.slice(2));
  if (!Number.isInteger(value) || value < MIN_VERSION) throw new Error(`not a microversion: ${text}`);
  return value;
};

export const always: Span = { min: MIN_VERSION, max: Infinity };
/** From this version on. */
export const since = (first: VersionText): Span => ({ min: minor(first), max: Infinity });
/** Up to and including this version. */
export const until = (last: VersionText): Span => ({ min: MIN_VERSION, max: minor(last) });
export const between = (first: VersionText, last: VersionText): Span => ({
  min: minor(first),
  max: minor(last),
});
/** In no version: for a field that one of several forms of a resource lacks. */
export const never: Span = { min: Infinity, max: -Infinity };

export const inSpan = (version: Microversion, span: Span): boolean =>
  version >= span.min && version <= span.max;

/** @returns e.g. `2.104` */
export const versionText = (version: Microversion): string => `2.${version}`;
