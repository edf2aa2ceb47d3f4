import { BlockDeviceChange, BlockDeviceRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { defineKind, done, fail } from "../../pkg/conductor/engine/kind.js";
import type { OperationKind } from "../../pkg/conductor/engine/kind.js";
import { aDeclaration } from "../../pkg/model/testing/a-declaration.js";
import type { Ledger } from "./toy.ledger.js";

/**
 * Attaches what its input names; more than one at once wait for each other, beside whatever the server
 * does.
 */
export const ATTACH = aDeclaration("toy.attach", {
  lane: "volumes",
  forms: {
    plain: { vmStates: [VmState.VM_STATE_ACTIVE], taskState: "", contention: "waits", lock: "refuses" },
  },
  formOf: () => "plain",
});

/** An input that asks for a refusal by the last step, so that the first is undone. */
export const refused = (volume: string): string => `${volume}-refused`;

/** Two steps with an effect outside SQL each; the last one also changes the server's record. */
export const toyAttachments = (ledger: Ledger): OperationKind =>
  defineKind(ATTACH, {
    steps: [
      {
        name: "reserve",
        event: "toy_reserve",
        timeoutMs: 60_000,
        run: async ({ operation, input, fence }) => {
          ledger.put(`${operation.serverId}/reserve/${input}`, fence);
          return done();
        },
        undo: async ({ operation, input, fence }) => {
          ledger.take(`${operation.serverId}/reserve/${input}`, fence);
          return undefined;
        },
      },
      {
        name: "connect",
        event: "toy_connect",
        timeoutMs: 60_000,
        run: async ({ operation, input, fence }) => {
          ledger.put(`${operation.serverId}/connect/${input}`, fence);
          if (input.endsWith("refused"))
            return fail({ reason: "REFUSED", domain: "toy", message: "As asked." });
          const device = BlockDeviceRecord.fromPartial({ id: operation.name, volumeId: input });
          return done({}, { more: { blockDevices: [BlockDeviceChange.fromPartial({ device })] } });
        },
        undo: async ({ operation, input, fence }) => {
          ledger.take(`${operation.serverId}/connect/${input}`, fence);
          return undefined;
        },
      },
    ],
    failed: () => ({}),
  });
