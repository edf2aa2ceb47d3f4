import { snakeCase } from "../../kernel/case.js";
import { CommonErrors } from "../../kernel/errors.js";

/** The fields that a path of a mask stands for; undefined for a path that may not be changed. */
export type FieldsOf<M> = (path: string) => readonly (keyof M)[] | undefined;

/**
 * The fields of a message by their paths.
 * @param empty   the message as it is without values
 * @param except  fields that may not be changed
 */
export function pathsOf<M extends object>(
  empty: M,
  except: readonly (keyof M)[] = [],
): ReadonlyMap<string, keyof M> {
  const fields = Object.keys(empty) as (keyof M & string)[];
  return new Map(fields.filter((field) => !except.includes(field)).map((field) => [snakeCase(field), field]));
}

/** As `FieldsOf`, for a table of `pathsOf`. */
export const fieldsIn =
  <M>(paths: ReadonlyMap<string, keyof M>): FieldsOf<M> =>
  (path) => {
    const field = paths.get(path);
    return field === undefined ? undefined : [field];
  };

/**
 * Copies what a mask names.
 * @param target  is changed
 * @throws INVALID_ARGUMENT for a path that may not be changed, and for paths without values
 */
export function copyPaths<M extends object>(
  target: M,
  values: M | undefined,
  mask: readonly string[] | undefined,
  fieldsOf: FieldsOf<M>,
  field = "update_mask",
): void {
  for (const path of mask ?? []) {
    const fields = fieldsOf(path);
    if (fields === undefined || values === undefined)
      throw CommonErrors.INVALID_ARGUMENT({ field, problem: `${path} cannot be changed here` });
    for (const name of fields) target[name] = values[name];
  }
}
