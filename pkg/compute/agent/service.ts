import type {
  AgentServiceDefinition,
  CommandHeader,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import {
  ConsoleKind as WireConsoleKind,
  RunCommandResponse,
  ScriptFakeDriverResponse,
  WriteConsoleResponse,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommonErrors } from "../../kernel/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { Handlers } from "../../platform/rpc/index.js";
import { can } from "../capabilities.js";
import type { Command, CommandHost } from "../commands/command.js";
import { measured } from "../commands/command.js";
import { commands as declared } from "../commands/index.gen.js";
import type { ConsoleKind, Driver, WorkProgress } from "../driver.js";
import { AgentErrors } from "../errors.js";
import { Consoles } from "./consoles.js";
import { DiskReaders } from "./disk-readers.js";
import { guestDiagnostics } from "./guest-diagnostics.js";
import type { Plumbing } from "./ports.js";
import { powerStateOf } from "./power-states.js";
import type { Commands } from "./commands.js";
import { scriptFakeDriver } from "./script-fake.js";

const MAX_CONSOLE_BYTES = 102_400;
const byName: ReadonlyMap<string, Command> = new Map(declared.map((one) => [one.name, one]));

export interface AgentServiceDeps {
  readonly host: string;
  readonly cell: string;
  readonly own: CommandHost;
  readonly plumbing: Pick<Plumbing, "stats">;
  readonly commands: Commands;
  readonly epoch: () => bigint;
  /** Whether the driver knows its guests: what came earlier would find none. */
  readonly attached: () => boolean;
}

/** The agent's RPCs: translation only. @throws UNAVAILABLE each, until the driver knows its guests */
export function agentHandlers({
  host,
  cell,
  own,
  plumbing,
  commands,
  epoch,
  attached,
}: AgentServiceDeps): Handlers<typeof AgentServiceDefinition> {
  const { driver } = own;
  const consoles = new Consoles(driver);
  const readers = new DiskReaders(driver, cell);
  const meant = (asked: string): void => {
    if (asked !== host) throw AgentErrors.WRONG_HOST({ host: asked, expected: host });
    if (!attached()) throw CommonErrors.UNAVAILABLE({ what: "The host's agent" });
  };
  const headerOf = (header: CommandHeader | undefined): CommandHeader => {
    if (!header?.commandId || subjectOf(header) === undefined)
      throw CommonErrors.INVALID_ARGUMENT({
        field: "header",
        problem: "command_id is needed, and server_id unless the operation is a host's",
      });
    meant(header.host);
    return header;
  };
  /** As the journal knows it: by the server, or by the host. */
  const keyed = (header: CommandHeader): CommandHeader => ({ ...header, serverId: subjectOf(header) ?? "" });

  return {
    async runCommand(ctx, { header: asked, command: name, input: bytes, undoOf }) {
      const header = headerOf(asked);
      const command = commandOf(driver, name);
      const input = command.input.decode(bytes);
      const { serverId } = header;
      if ((command.subject === "host") !== (serverId === ""))
        throw CommonErrors.INVALID_ARGUMENT({ field: "command", problem: "it is about something else" });
      const result = await commands.run(
        ctx,
        keyed(header),
        async (c, told) => {
          const tell = (work: WorkProgress): void => {
            const progress = measured(command, work);
            if (progress !== undefined) told(progress);
          };
          return command.output
            .encode(await command.run({ ctx: c, serverId, host: own, tell }, input))
            .finish();
        },
        {
          undoOf,
          finishes: command.whenGivenUp === "finishes",
          untilDone: command.untilDone === true,
        },
      );
      return RunCommandResponse.create({ result });
    },
    async cancelCommand(ctx, { header }) {
      return { result: await commands.cancel(ctx, keyed(headerOf(header))) };
    },
    async inspectGuest(ctx, request) {
      meant(request.host);
      const state = await driver.inspect(ctx, request.serverId);
      return { defined: state !== undefined, powerState: powerStateOf[state?.powerState ?? "NOSTATE"] };
    },
    async getConsoleLog(ctx, request) {
      meant(request.host);
      if (!driver.consoleLog) throw AgentErrors.NO_CONSOLE({});
      const limit = Math.min(request.maxBytes || MAX_CONSOLE_BYTES, MAX_CONSOLE_BYTES);
      return { output: Buffer.from(await driver.consoleLog(ctx, request.serverId, limit)) };
    },
    async getGuestDiagnostics(ctx, request) {
      meant(request.host);
      return guestDiagnostics(ctx, driver, plumbing, request.serverId);
    },
    async getConsole(ctx, request) {
      meant(request.host);
      return consoles.ask(ctx, request.serverId, consoleKindOf(request.kind));
    },
    async *openConsole(ctx, request) {
      meant(request.host);
      const asked = { ...request, kind: consoleKindOf(request.kind) };
      for await (const output of consoles.open(ctx, asked)) yield { output };
    },
    async writeConsole(ctx, request) {
      meant(request.host);
      await consoles.write(ctx, request.sessionId, request.input);
      return WriteConsoleResponse.create({});
    },
    async *readDisk(ctx, request) {
      meant(request.host);
      yield* readers.read(ctx, request);
    },
    async getHost(ctx, request) {
      meant(request.host || host);
      return {
        host,
        driver: driver.name,
        epoch: epoch(),
        guests: (await driver.list(ctx)).length,
        guestIsolation: driver.guestIsolation?.() ?? "",
      };
    },
    async scriptFakeDriver(_ctx, request) {
      meant(request.host);
      scriptFakeDriver(driver as Driver, request.rules);
      return ScriptFakeDriverResponse.create({});
    },
  };
}

/** @throws INVALID_ARGUMENT */
function consoleKindOf(kind: WireConsoleKind): ConsoleKind {
  if (kind === WireConsoleKind.CONSOLE_KIND_VNC) return "vnc";
  if (kind === WireConsoleKind.CONSOLE_KIND_SERIAL) return "serial";
  throw CommonErrors.INVALID_ARGUMENT({ field: "kind", problem: "must be one of the enum" });
}

/** Id of what a command's fence counts for: the server, or the host that the operation is about. */
function subjectOf({ serverId, operation }: CommandHeader): string | undefined {
  if (serverId !== "") return serverId;
  const subject = parseOperationName(operation)?.subject;
  return subject?.kind === "host" ? subject.id : undefined;
}

/** @throws UNKNOWN_COMMAND, CAPABILITY_MISSING */
function commandOf(driver: Driver, name: string): Command {
  const command = byName.get(name);
  if (command === undefined) throw AgentErrors.UNKNOWN_COMMAND({ command: name });
  if (command.capability !== undefined && !can(driver, command.capability.name))
    throw AgentErrors.CAPABILITY_MISSING({ capability: command.capability.name });
  return command;
}
