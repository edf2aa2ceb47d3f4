import { CellsTwin } from "../../cells/testing/twin/twin.js";
import type { MethodBinding } from "../../platform/rpc/index.js";
import type { TestApi, TestApiOptions } from "./an-api.js";
import { anApi } from "./an-api.js";

/** An api where something happens between what it has found and its acceptance. */
export interface InterruptedApi extends TestApi {
  /** Has this happen once, right before the next acceptance. */
  before(acceptance: () => void): void;
}

/** An api over the twin of cells that can be interrupted. */
export function anInterruptedApi({ config = {} }: Pick<TestApiOptions, "config"> = {}): InterruptedApi {
  const cells = new CellsTwin();
  let meanwhile: (() => void) | undefined;
  const interrupted = (method: MethodBinding): MethodBinding => ({
    ...method,
    handler: (ctx, request) => {
      const happens = meanwhile;
      meanwhile = undefined;
      happens?.();
      return method.handler(ctx, request);
    },
  });
  const cellsBindings = cells.bindings.map((binding) => ({
    ...binding,
    methods: binding.methods.map((one) => (one.method === "AcceptOperation" ? interrupted(one) : one)),
  }));
  return {
    ...anApi({ config, cellsBindings }),
    cells,
    before: (acceptance) => {
      meanwhile = acceptance;
    },
  };
}
