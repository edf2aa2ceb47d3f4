import { CommonErrors } from "../../kernel/index.js";

/** A part of an answer that `api` always fills. @throws INTERNAL when it did not */
export function required<T>(part: T | undefined, what: string): T {
  if (part === undefined)
    throw CommonErrors.INTERNAL({}, { cause: new Error(`api answered without ${what}`) });
  return part;
}
