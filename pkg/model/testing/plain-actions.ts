import { catalogue } from "../operation-catalogue.js";
import { NOTHING } from "../operation-declaration.js";

/** A REST action whose request says no more than which server. */
export interface PlainAction {
  readonly kind: string;
  /** Nova's key of it in the body. */
  readonly key: string;
  /** Public method. */
  readonly method: string;
}

/** All of them: tests of each follow from its name alone. */
export const plainActions: readonly PlainAction[] = catalogue.all.flatMap(
  ({ kind, input, secrets, methods }) =>
    input !== NOTHING || secrets !== undefined
      ? []
      : methods.flatMap(({ name, key }) => (key === undefined ? [] : [{ kind, key, method: name }])),
);
