import type { Request } from "express";
import type { TokenValidator } from "../../clients/keystone/ports.js";
import type { Ctx } from "../../kernel/index.js";
import { setCaller } from "../../platform/http/index.js";
import { GatewayErrors } from "../errors.js";

/**
 * Finds out who asks. Only tokens count: identity headers such as X-User-Id or X-Roles come from outside and
 * are never read. A token that ended while one of our sister services was working for the user is still good
 * when that service sends its own.
 * @throws TOKEN_REQUIRED, or what the validator throws
 */
export async function authenticate(req: Request, ctx: Ctx, tokens: TokenValidator): Promise<Ctx> {
  const token = req.get("x-auth-token");
  if (token === undefined || token === "") throw GatewayErrors.TOKEN_REQUIRED({});
  const serviceToken = req.get("x-service-token");
  const allowExpired =
    serviceToken !== undefined && serviceToken !== "" && (await isService(ctx, tokens, serviceToken));
  const known = allowExpired
    ? await tokens.validate(ctx, token, { allowExpired })
    : await tokens.validate(ctx, token);
  const { userId, projectId } = known.actor;
  return { ...(await setCaller(req, known)), userToken: token, log: ctx.log.child({ userId, projectId }) };
}

async function isService(ctx: Ctx, tokens: TokenValidator, token: string): Promise<boolean> {
  return (await tokens.validate(ctx, token)).actor.roles.includes("service");
}
