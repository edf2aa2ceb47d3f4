import { Command } from "commander";
import { OperationStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { asOperator } from "../operator-socket.js";
import { printTable } from "../table.js";
import { dbCommand } from "./db.js";
import { describeOperation, shortState } from "./describe.js";

const unfinished = [
  OperationState.OPERATION_STATE_RUNNING,
  OperationState.OPERATION_STATE_PARKED,
  OperationState.OPERATION_STATE_UNDOING,
  OperationState.OPERATION_STATE_NEEDS_OPERATOR,
];

interface ListOptions {
  readonly home?: string;
  readonly database: string;
  readonly server?: string;
  readonly host?: string;
  readonly cloud?: boolean;
}

const queryOf = ({ database, server, host, cloud }: ListOptions) =>
  server === undefined && host === undefined && cloud === undefined
    ? { database, states: unfinished }
    : { serverId: server ?? "", hostId: host ?? "", cloud: cloud ?? false };

/** `kilonova manage`: what operators do to a running cloud. */
export function manageCommand(): Command {
  const manage = new Command("manage").description("operate a running cloud");
  manage.addCommand(dbCommand());
  const operation = manage
    .command("operation")
    .description("look at operations and help those that are stuck");
  const home = ["--home <dir>", "state directory of the cloud; default KILONOVA_HOME or .kilonova"] as const;

  operation
    .command("list")
    .description("operations that have not ended, or all of one server, of one host or of the cloud")
    .option(...home)
    .option("--database <name>", "global, cell0, cell1, …", "cell1")
    .option("--server <uuid>", "only of this server, ended ones too")
    .option("--host <uuid>", "only of the host with this hypervisor id, ended ones too")
    .option("--cloud", "only of the cloud itself, ended ones too")
    .action((o: ListOptions) =>
      asOperator(o.home, async (ctx, channel) => {
        const store = channel.client(OperationStoreServiceDefinition);
        const query = queryOf(o);
        const { operations } = await store.listStoredOperations(ctx, { ...query, pageSize: 1000 });
        printTable(
          ["NAME", "KIND", "STATE", "STEP", "OWNER"],
          operations.map((s) => [s.name, s.kind, shortState(s.state), s.currentStep, s.owner]),
        );
      }),
    );

  operation
    .command("show <name>")
    .description("one operation with its timeline")
    .option(...home)
    .action((name: string, o: { home?: string }) =>
      asOperator(o.home, async (ctx, channel) => {
        const { operation: found } = await channel
          .client(OperationStoreServiceDefinition)
          .getStoredOperation(ctx, { name });
        if (found) for (const line of describeOperation(found)) console.log(line);
      }),
    );

  const act = (
    verb: string,
    description: string,
    run: (
      ctx: Parameters<Parameters<typeof asOperator>[1]>[0],
      channel: Parameters<Parameters<typeof asOperator>[1]>[1],
      name: string,
      reason: string,
    ) => Promise<OperationState | undefined>,
  ): void => {
    operation
      .command(`${verb} <name>`)
      .description(description)
      .option(...home)
      .option("--reason <text>", "for the record", "")
      .action((name: string, o: { home?: string; reason: string }) =>
        asOperator(o.home, async (ctx, channel) => {
          console.log(`${name}: ${shortState(await run(ctx, channel, name, o.reason))}`);
        }),
      );
  };
  act(
    "retry",
    "put an operation that needs an operator back to work",
    async (ctx, channel, name) =>
      (await channel.client(OperationStoreServiceDefinition).retryOperation(ctx, { name })).operation?.state,
  );
  act(
    "cancel",
    "ask an operation to cancel; has effect before its pivot",
    async (ctx, channel, name) =>
      (await channel.client(OperationStoreServiceDefinition).requestCancel(ctx, { name })).operation?.state,
  );
  act(
    "abandon",
    "end an operation by decree: FAILED, its server (if any) in ERROR",
    async (ctx, channel, name, reason) =>
      (await channel.client(OperationStoreServiceDefinition).abandonOperation(ctx, { name, reason }))
        .operation?.state,
  );
  return manage;
}
