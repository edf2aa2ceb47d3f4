import type { Ctx } from "../../../kernel/ctx.js";
import { agentBinding } from "../../../platform/rpc/index.js";
import type { MethodBinding, ServiceBinding } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";

/** @throws WRONG_OPERATION unless the operation works on that host */
export type OperationCheck = (ctx: Ctx, cell: string, operation: string, host: string) => Promise<void>;

/**
 * Holds every agent to what it may speak for: its own cell, its own host, operations that work there. Read
 * from the contract, so that a method for agents cannot be without it.
 * @throws (at once) for a method that agents may call and that does not declare whom they speak for
 */
export function agentsOwn(service: ServiceBinding, worksThere: OperationCheck): ServiceBinding {
  return { ...service, methods: service.methods.map((method) => boundMethod(service, method, worksThere)) };
}

function boundMethod(
  { definition }: ServiceBinding,
  method: MethodBinding,
  worksThere: OperationCheck,
): MethodBinding {
  if (!method.allowedCallers.has("compute")) return method;
  const declared = Object.values(definition.methods).find(({ name }) => name === method.method);
  const binding = declared === undefined ? undefined : agentBinding(declared);
  if (binding === undefined || binding.cell === "")
    throw new Error(`${method.path} may be called by agents, but does not declare whom they speak for`);
  const check = async (ctx: Ctx, request: unknown): Promise<void> => {
    const { cell = "", host } = ctx.peer;
    if (cell === "" || textAt(request, binding.cell) !== cell) throw CellsErrors.WRONG_CELL({ cell });
    for (const path of binding.host)
      if (host === "" || textAt(request, path) !== host) throw CellsErrors.WRONG_HOST({ host });
    if (binding.operation !== "") await worksThere(ctx, cell, textAt(request, binding.operation), host);
  };
  return {
    ...method,
    handler: async (ctx, request) => {
      if (ctx.peer.service === "compute") await check(ctx, request);
      return method.handler(ctx, request) as Promise<unknown>;
    },
  };
}

/** The text in a field of a message, "" when it is not there. @param path names as in the proto, with dots */
function textAt(message: unknown, path: string): string {
  const value = path
    .split(".")
    .map((name) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
    .reduce<unknown>(
      (at, name) => (typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined),
      message,
    );
  return typeof value === "string" ? value : "";
}
