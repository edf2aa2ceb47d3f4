/**
 * The number in a path, as Python's `int` reads it; undefined for what is none. Numbers that nothing can have
 * (negative, too large) are numbers all the same: nobody has them, which `api` says.
 * @source nova utils.validate_integer
 */
export const pathNumber = (text: string): string | undefined =>
  /^[+-]?\d+(?:_\d+)*$/.test(text.trim()) ? BigInt(text.trim().replace(/[+_]/g, "")).toString() : undefined;
