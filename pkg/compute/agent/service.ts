import type {
  AgentServiceDefinition,
  CommandHeader,
  CommandResult,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import {
  BuildGuestResponse,
  DestroyGuestResponse,
  PowerOffGuestResponse,
  PowerOnGuestResponse,
  RebootGuestResponse,
  ScriptFakeDriverResponse,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { CommonErrors } from "../../kernel/index.js";
import type { Handlers } from "../../platform/rpc/index.js";
import type { Driver } from "../driver.js";
import { AgentErrors } from "../errors.js";
import type { Commands } from "./commands.js";
import { guestCommands, powerStateOf } from "./guest-commands.js";
import type { GuestCommandDeps } from "./guest-commands.js";
import { scriptFakeDriver } from "./script-fake.js";

const MAX_CONSOLE_BYTES = 102_400;

export interface AgentServiceDeps extends GuestCommandDeps {
  readonly host: string;
  readonly commands: Commands;
  readonly epoch: () => bigint;
}

/** The agent's RPCs: translation only. */
export function agentHandlers(deps: AgentServiceDeps): Handlers<typeof AgentServiceDefinition> {
  const { host, driver, commands } = deps;
  const guests = guestCommands(deps);
  const meant = (asked: string): void => {
    if (asked !== host) throw AgentErrors.WRONG_HOST({ host: asked, expected: host });
  };
  const headerOf = (header: CommandHeader | undefined): CommandHeader => {
    if (!header?.commandId || !header.serverId)
      throw CommonErrors.INVALID_ARGUMENT({
        field: "header",
        problem: "command_id and server_id are needed",
      });
    meant(header.host);
    return header;
  };
  const instanceOf = (instance: InstanceRecord | undefined, header: CommandHeader): InstanceRecord => {
    if (instance?.server?.id !== header.serverId)
      throw CommonErrors.INVALID_ARGUMENT({
        field: "instance",
        problem: "must be the record of header.server_id",
      });
    return instance;
  };
  const answer = (result: CommandResult): { result: CommandResult } => ({ result });

  return {
    async buildGuest(ctx, request) {
      const header = headerOf(request.header);
      const instance = instanceOf(request.instance, header);
      return BuildGuestResponse.create(
        answer(await commands.run(ctx, header, (c) => guests.build(c, instance, request.secrets))),
      );
    },
    async destroyGuest(ctx, request) {
      const header = headerOf(request.header);
      return DestroyGuestResponse.create(
        answer(await commands.run(ctx, header, (c) => guests.destroy(c, header.serverId), request.undoOf)),
      );
    },
    async powerOnGuest(ctx, request) {
      const header = headerOf(request.header);
      const instance = instanceOf(request.instance, header);
      return PowerOnGuestResponse.create(
        answer(await commands.run(ctx, header, (c) => guests.powerOn(c, instance))),
      );
    },
    async powerOffGuest(ctx, request) {
      const header = headerOf(request.header);
      return PowerOffGuestResponse.create(
        answer(
          await commands.run(ctx, header, (c) => guests.powerOff(c, header.serverId, request.softTimeoutMs)),
        ),
      );
    },
    async rebootGuest(ctx, request) {
      const header = headerOf(request.header);
      const instance = instanceOf(request.instance, header);
      return RebootGuestResponse.create(
        answer(
          await commands.run(ctx, header, (c) =>
            guests.reboot(c, instance, request.hard, request.softTimeoutMs),
          ),
        ),
      );
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
    async getHost(ctx, request) {
      if (request.host) meant(request.host);
      return {
        host,
        driver: driver.name,
        epoch: deps.epoch(),
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
