import type { CloudCall, HostCall, OperationKind, Step } from "../../pkg/conductor/engine/kind.js";
import { defineSubjectKind, done, fail } from "../../pkg/conductor/engine/kind.js";
import { declareSubjectOperation } from "../../pkg/model/operation-declaration.js";
import { subjectDeclaration } from "../../pkg/model/testing/a-declaration.js";
import type { Ledger } from "./toy.ledger.js";

/** Three at once on one host, which run in turn. */
export const FILL = declareSubjectOperation(subjectDeclaration("toy.fill", "host", { contention: "waits" }));
/** The same, on the cloud. */
export const SWEEP = declareSubjectOperation(
  subjectDeclaration("toy.sweep", "cloud", { contention: "waits" }),
);

/** What the last step refuses, so that the first is undone. */
const REFUSED = "refused";
export const TOLD: readonly string[] = ["0", "1", "2"];
export const toldRefused = (text: string): string => `${text}-${REFUSED}`;

const steps = <C extends CloudCall<string>>(
  ledger: Ledger,
  of: (call: C) => string,
): readonly Step<string, C>[] => {
  const step = (name: string): Step<string, C> => ({
    name,
    event: "",
    timeoutMs: 60_000,
    run: async (call) => {
      ledger.put(`${of(call)}/${name}/${call.input}`, call.fence);
      return name === "second" && call.input.endsWith(REFUSED)
        ? fail({ reason: "REFUSED", domain: "toy", message: "As asked." })
        : done();
    },
    undo: async (call) => {
      ledger.take(`${of(call)}/${name}/${call.input}`, call.fence);
      return undefined;
    },
  });
  return [step("first"), step("second")];
};

/** Two entries into a ledger, under the name of the host. */
export const toyFill = (ledger: Ledger): OperationKind =>
  defineSubjectKind("host", FILL, { steps: steps<HostCall<string>>(ledger, ({ host }) => host.host) });

/** Two entries into a ledger, under the cloud's. */
export const toySweep = (ledger: Ledger): OperationKind =>
  defineSubjectKind("cloud", SWEEP, { steps: steps<CloudCall<string>>(ledger, () => "cloud") });
