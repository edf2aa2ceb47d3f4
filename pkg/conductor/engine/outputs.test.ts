import assert from "node:assert/strict";
import { z } from "zod";
import { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { encodeJson, outputOf, Outputs } from "./outputs.js";

const chosen = outputOf(
  "choose",
  z.object({ hosts: z.array(z.object({ name: z.string(), cores: z.coerce.number() })), why: z.string() }),
);
const outputs = (output: unknown) =>
  new Outputs([StepRecord.fromPartial({ name: "choose", state: "done", output: encodeJson(output) })]);

describe("what a step left behind", () => {
  it("keeps what a later version has added, at every depth, so that another step may store it again", () => {
    const read = outputs({
      hosts: [{ name: "a", cores: "4", numa: [{ cell: 0 }] }],
      why: "free",
      trace: { seed: 1 },
    });
    const [host] = read.get(chosen).hosts;
    assert.deepEqual(host, { name: "a", cores: 4, numa: [{ cell: 0 }] });
    assert.deepEqual(read.all(chosen), [{ hosts: [host], why: "free", trace: { seed: 1 } }]);
  });

  it("must have the shape that the step declared", () => {
    assert.throws(() => outputs({ hosts: "none" }).get(chosen), z.ZodError);
  });
});
