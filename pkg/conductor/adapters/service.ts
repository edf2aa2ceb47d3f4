import type { ConductorServiceDefinition } from "../../../gen/kilonova/conductor/v1/conductor_service.js";
import type { Handlers } from "../../platform/rpc/index.js";
import type { Conductor } from "../engine/conductor.js";
import { isPastPivot } from "../engine/registry.js";
import type { Registry } from "../engine/registry.js";

/** Serves hints, and tells which kinds there are. */
export const conductorHandlers = (
  conductor: Conductor,
  registry: Registry,
): Handlers<ConductorServiceDefinition> => ({
  wakeOperation: async (_ctx, { database, name }) => {
    conductor.wake(database, name);
    return {};
  },
  describeKinds: async () => ({
    kinds: registry.all.map((kind) => ({
      kind: kind.kind,
      version: kind.version,
      steps: kind.steps.map(({ name }, index) => ({ name, pivot: isPastPivot(kind, index) })),
    })),
  }),
});
