import type { Request, Response } from "express";
import type { Ctx } from "../../../../kernel/index.js";
import { baseUrlOf, ctxOf } from "../../../../platform/http/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import type { IdentityAction } from "../../domain/policy.js";
import { may } from "../../domain/policy.js";
import { addressKey } from "../secret-checks.js";
import type { Caller } from "../secret-checks.js";

/** One handler of the Identity service: what it returns is sent, `undefined` as an empty 204. */
export type Handler = (ctx: Ctx, req: Request, res: Response) => Promise<unknown>;

/** Mounts a handler; `status` is that of an answer with a body. */
export const reply =
  (handler: Handler, status = 200) =>
  async (req: Request, res: Response): Promise<void> => {
    const body = await handler(ctxOf(req), req, res);
    if (res.headersSent) return;
    if (body === undefined) res.status(204).end();
    else res.status(status).json(body);
  };

/** @throws FORBIDDEN, which names the action as Keystone's policies do */
export function demand(ctx: Ctx, action: IdentityAction, name: string): void {
  if (!may(ctx.actor, action)) throw AuthErrors.FORBIDDEN({ action: name });
}

export const selfUrl = (req: Request, base: string): string => `${base}${req.originalUrl}`;

/** The address under which the caller reached us. */
export const baseOf = (req: Request): string => baseUrlOf(req);

/** Who shows or makes a secret of the account, for its turn and the count of its failures. */
export const callerOf = (req: Request, account: string, exempt = false): Caller => ({
  address: addressKey(req.socket.remoteAddress),
  account,
  exempt,
});
