import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { aServer } from "../../cells/testing/records.js";
import { testCtx } from "../../testkit/ctx.js";
import type { StepCall } from "../engine/kind.js";
import { Outputs, encodeJson } from "../engine/outputs.js";
import type { OutputOf } from "../engine/outputs.js";

export const SERVER = "5e000000-0000-4000-8000-000000000003";
export const OPERATION = "09000000-0000-4000-8000-000000000001";

/** A step's record that finished with this output. */
export const finished = <T>(of: OutputOf<T>, output: T, state = "done"): StepRecord => ({
  name: of.step,
  state,
  output: encodeJson(output),
  note: Buffer.alloc(0),
  attempts: 1,
  startedAt: undefined,
  finishedAt: undefined,
  errorReason: "",
  errorMessage: "",
  event: "",
  host: "",
  round: 0,
  unfenced: false,
});

/** What a step sees, with as much set as the case needs. */
export function aCall(
  init: {
    readonly instance?: Parameters<typeof InstanceRecord.fromPartial>[0];
    readonly operation?: Partial<StoredOperation>;
    readonly steps?: readonly StepRecord[];
  } & Partial<Pick<StepCall, "round" | "firstStart" | "database" | "note">> = {},
): StepCall {
  const instance = InstanceRecord.fromPartial({ server: aServer({ id: SERVER }), ...init.instance });
  const operation = StoredOperation.fromPartial({
    name: `operations/${SERVER}/${OPERATION}`,
    serverId: SERVER,
    steps: [...(init.steps ?? [])],
    ...init.operation,
  });
  const { server } = instance;
  if (server === undefined) throw new Error("no server");
  return {
    ctx: testCtx(),
    database: init.database ?? "cell1",
    operation,
    instance,
    server,
    input: undefined,
    fence: 1n,
    stepId: `${OPERATION}/step/0`,
    round: init.round ?? 0,
    firstStart: init.firstStart ?? false,
    closesLanes: false,
    signals: [],
    outputs: new Outputs(operation.steps),
    note: init.note ?? Buffer.alloc(0),
    secrets: Buffer.alloc(0),
    now: 1_767_225_600_000_000n,
  };
}
