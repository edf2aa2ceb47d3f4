import type { OperationDeclaration } from "./operation-declaration.js";
import { operations } from "./operations/index.gen.js";

/** Declared kinds of operations, found by their names. */
export class OperationCatalogue {
  readonly #byKind: ReadonlyMap<string, OperationDeclaration>;
  readonly #byMethod: ReadonlyMap<string, OperationDeclaration>;

  /** @throws when two of them have one kind, or are begun by one method */
  constructor(declarations: readonly OperationDeclaration[]) {
    this.#byKind = new Map(declarations.map((one) => [one.kind, one]));
    this.#byMethod = new Map(declarations.flatMap((one) => one.methods.map(({ name }) => [name, one])));
    if (this.#byKind.size !== declarations.length) throw new Error("two operations of one kind");
    if (this.#byMethod.size !== declarations.reduce((sum, { methods }) => sum + methods.length, 0))
      throw new Error("two operations are begun by one method");
  }

  get all(): readonly OperationDeclaration[] {
    return [...this.#byKind.values()];
  }

  find(kind: string): OperationDeclaration | undefined {
    return this.#byKind.get(kind);
  }

  /** @param method  such as "PauseServer" */
  begunBy(method: string): OperationDeclaration | undefined {
    return this.#byMethod.get(method);
  }
}

/** Every kind that this build knows. */
export const catalogue = new OperationCatalogue(operations);
