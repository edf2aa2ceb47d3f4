import type { z } from "zod";
import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { withUnknownKeys } from "../../kernel/index.js";
import { ConductorErrors } from "../errors.js";

/** A step's name and the shape of its output, shared by the step and those who read it. */
export interface OutputOf<T> {
  readonly step: string;
  readonly schema: z.ZodType<T>;
}

export const outputOf = <T>(step: string, schema: z.ZodType<T>): OutputOf<T> => ({ step, schema });

/** What steps left behind, read with the shape they declared. */
export class Outputs {
  readonly #steps: readonly StepRecord[];

  constructor(steps: readonly StepRecord[]) {
    this.#steps = steps;
  }

  /**
   * Output of the newest finished start. @throws OUTPUT_MISSING: the step has not finished, a bug of the kind
   */
  get<T>(of: OutputOf<T>): T {
    const found = this.find(of);
    if (found === undefined) throw ConductorErrors.OUTPUT_MISSING({ step: of.step });
    return found;
  }

  /** As `get`; undefined when the step has not finished, or was undone. */
  find<T>(of: OutputOf<T>): T | undefined {
    const record = this.#steps.findLast(({ name }) => name === of.step);
    return record?.state === "done" ? read(of, record.output) : undefined;
  }

  /** Outputs of all rounds that finished, undone ones included, oldest first. */
  all<T>(of: OutputOf<T>): T[] {
    return this.#steps
      .filter(({ name, output }) => name === of.step && output.length > 0)
      .map(({ output }) => read(of, output));
  }
}

/**
 * Inputs and outputs are JSON: readable in the database, extendable without a schema change. bigint travels
 * as text.
 */
export const encodeJson = (value: unknown): Buffer =>
  Buffer.from(
    JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? one.toString() : one)),
  );

/** What a later version has added to an output stays in it: steps store again what they have read. */
function read<T>(of: OutputOf<T>, bytes: Buffer): T {
  const stored = decodeJson(bytes);
  return withUnknownKeys(stored, of.schema.parse(stored));
}

const decodeJson = (bytes: Buffer): unknown =>
  bytes.length === 0 ? {} : (JSON.parse(bytes.toString()) as unknown);
