import { Command } from "commander";
import { OperationStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import type { Channel, Client } from "../../../pkg/platform/rpc/index.js";
import { asOperator } from "../operator-socket.js";
import { printTable } from "../table.js";
import { describeOperation, shortState } from "./describe.js";
import { listOperations } from "./list-operations.js";
import type { ListOptions } from "./list-operations.js";

interface Options {
  readonly home?: string;
  readonly database: string;
}

type Act = (
  store: Client<OperationStoreServiceDefinition>,
  ctx: Ctx,
  which: { readonly name: string; readonly database: string; readonly reason: string },
) => Promise<OperationState | undefined>;

const storeOf = (channel: Channel): Client<OperationStoreServiceDefinition> =>
  channel.client(OperationStoreServiceDefinition);

/** `kilonova manage operation`: what operators see of operations, and do to those that are stuck. */
export function operationCommand(): Command {
  const operation = new Command("operation").description("look at operations and help those that are stuck");
  /** A verb with the options that all of them have. @param where  what becomes of it without --database */
  const verb = (usage: string, description: string, where: string): Command =>
    operation
      .command(usage)
      .description(description)
      .option("--home <dir>", "state directory of the cloud; default KILONOVA_HOME or .kilonova")
      .option("--database <name>", `global, cell0, cell1, …; ${where}`, "");
  const named = (usage: string, description: string): Command =>
    verb(usage, description, "without it, the one that its subject's record names");
  const act = (usage: string, description: string, run: Act): Command =>
    named(`${usage} <name>`, description).action((name: string, o: Options & { readonly reason?: string }) =>
      asOperator(o.home, async (ctx, channel) => {
        const which = { name, database: o.database, reason: o.reason ?? "" };
        console.log(`${name}: ${shortState(await run(storeOf(channel), ctx, which))}`);
      }),
    );

  verb(
    "list",
    "operations that have not ended, newest first; or all of one server, of one host or of the cloud",
    "without it, all of them",
  )
    .option("--server <uuid>", "only of this server, ended ones too")
    .option("--host <host>", "only of this host, ended ones too: its name, or its hypervisor's id")
    .option("--cloud", "only of the cloud itself, ended ones too")
    .option("--limit <n>", "so many of each database at most", "1000")
    .action((o: Options & ListOptions) =>
      asOperator(o.home, async (ctx, channel) => {
        const { operations, more, silent } = await listOperations(ctx, channel, o);
        printTable(
          ["NAME", "KIND", "STATE", "STEP", "OWNER"],
          operations.map((s) => [s.name, s.kind, shortState(s.state), s.currentStep, s.owner]),
        );
        if (more) console.error("There are more: see --limit.");
        for (const { database, problem } of silent) console.error(`${database}: ${problem}`);
        if (silent.length > 0) process.exitCode = 1;
      }),
    );
  named("show <name>", "one operation with its timeline").action((name: string, o: Options) =>
    asOperator(o.home, async (ctx, channel) => {
      const { operation: found } = await storeOf(channel).getStoredOperation(ctx, {
        database: o.database,
        name,
      });
      if (found) for (const line of describeOperation(found)) console.log(line);
    }),
  );
  act(
    "retry",
    "put an operation that needs an operator back to work",
    async (store, ctx, { name, database }) =>
      (await store.retryOperation(ctx, { name, database })).operation?.state,
  );
  act(
    "cancel",
    "ask an operation to cancel; has effect before its pivot",
    async (store, ctx, { name, database }) =>
      (await store.requestCancel(ctx, { name, database })).operation?.state,
  );
  act(
    "abandon",
    "end an operation by decree: FAILED, its server (if any) in ERROR",
    async (store, ctx, which) => (await store.abandonOperation(ctx, which)).operation?.state,
  ).option("--reason <text>", "why, for the record: its owner reads it", "");
  return operation;
}
