import type { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ServerHostInfo } from "../../gen/kilonova/type/v1/server.js";
import { defineKind, done, handOver, moveTo, returnTo } from "../../pkg/conductor/engine/kind.js";
import type { OperationKind, Step } from "../../pkg/conductor/engine/kind.js";
import { aDeclaration, aForm } from "../../pkg/model/testing/a-declaration.js";
import type { OperationDeclaration } from "../../pkg/model/operation-declaration.js";
import type { Client } from "../../pkg/platform/rpc/index.js";
import type { Ledger } from "./toy.ledger.js";

const declared = (kind: string): OperationDeclaration<string> =>
  aDeclaration(kind, { forms: { plain: { ...aForm, taskState: "going" } }, formOf: () => "plain" });

/** Each goes from one database to another in one of the ways there are, or in two of them. */
export const GOING = {
  newServer: declared("toy.new-server"),
  move: declared("toy.move"),
  return: declared("toy.return"),
  thereAndBack: declared("toy.there-and-back"),
  confirm: declared("toy.confirm"),
};

/** An effect outside SQL, once under each name. */
const noted = (name: string, ledger: Ledger, taskState: string): Step => ({
  name,
  event: `toy_${name}`,
  taskState,
  timeoutMs: 60_000,
  run: async ({ operation, fence }) => {
    ledger.put(`${operation.kind}/${name}`, fence);
    return done({ name });
  },
});

const going = (name: string, run: Step["run"]): Step => ({
  name,
  event: `toy_${name}`,
  timeoutMs: 60_000,
  run,
});

const placedOn = (host: string): { readonly set: { readonly hostInfo: ServerHostInfo } } => ({
  set: { hostInfo: ServerHostInfo.fromPartial({ host, node: host, computeNodeUuid: `node of ${host}` }) },
});

const out = going("out", async () => moveTo("cell2", { to: "cell2" }, placedOn("host2")));
const back = going("back", async ({ instance }) =>
  returnTo(instance.kept?.database ?? "", { from: "cell2" }),
);

/** Kinds that do nothing but go, with an effect before and after. */
export const toyMoves = (
  ledger: Ledger,
  store: Pick<Client<typeof OperationStoreServiceDefinition>, "forgetKept">,
): OperationKind[] => {
  const failed = (): Record<string, never> => ({});
  const before = noted("before", ledger, "packing");
  const after = noted("after", ledger, "unpacking");
  const toCell = going("to-cell", async () =>
    handOver("cell1", { to: "cell1" }, placedOn("host1"), { step: "held", output: { held: true } }),
  );
  const forget = going("forget", async ({ ctx, instance, server }) => {
    const { database, operation } = instance.kept ?? { database: "", operation: "" };
    if (database !== "") await store.forgetKept(ctx, { database, serverId: server.id, operation });
    return done({}, { dropKept: true });
  });
  return [
    defineKind(GOING.newServer, { steps: [before, toCell, noted("held", ledger, "held"), after], failed }),
    defineKind(GOING.move, { steps: [before, out, after], failed }),
    defineKind(GOING.return, { steps: [before, back, after], failed }),
    defineKind(GOING.thereAndBack, { steps: [before, out, back, after], failed }),
    defineKind(GOING.confirm, { steps: [forget], failed }),
  ];
};
