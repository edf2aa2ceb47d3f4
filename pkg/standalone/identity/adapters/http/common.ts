import type { Request, Response } from "express";
import type { Ctx } from "../../../../kernel/index.js";
import { baseUrlOf, ctxOf } from "../../../../platform/http/index.js";
import { addressKey } from "../../../../platform/sharing/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import type { IdentityAction } from "../../domain/policy.js";
import { administers, isDomainAdmin, may } from "../../domain/policy.js";
import type { DirectoryFilter } from "../../domain/model.js";
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

/**
 * As `demand`, for what lies in one domain, which its administrator may too. Which domain that is, is looked
 * up only for those to whom it matters.
 * @throws FORBIDDEN
 */
export async function demandIn(
  ctx: Ctx,
  action: IdentityAction,
  name: string,
  domainOf: () => Promise<string | undefined>,
): Promise<void> {
  if (may(ctx.actor, action)) return;
  if (!isDomainAdmin(ctx.actor) || !administers(ctx.actor, await domainOf()))
    throw AuthErrors.FORBIDDEN({ action: name });
}

/** For what belongs to no domain and every administrator needs to know: roles, services. @throws FORBIDDEN */
export function demandCommon(ctx: Ctx, name: string): void {
  if (!isDomainAdmin(ctx.actor)) demand(ctx, { do: "read" }, name);
}

/**
 * What a list may show: to administrators of a domain what is in it.
 * @returns undefined when that is nothing
 * @throws FORBIDDEN
 */
export function demandList(ctx: Ctx, name: string, filter: DirectoryFilter): DirectoryFilter | undefined {
  demandCommon(ctx, name);
  if (!isDomainAdmin(ctx.actor)) return filter;
  const { domainId } = ctx.actor;
  return filter.domainId === undefined || filter.domainId === domainId ? { ...filter, domainId } : undefined;
}

export const selfUrl = (req: Request, base: string): string => `${base}${req.originalUrl}`;

/** The address under which the caller reached us. */
export const baseOf = (req: Request): string => baseUrlOf(req);

/** Who shows or makes a secret of the account, for its turn and the count of its failures. */
export const callerOf = (req: Request, account: string, exempt = false): Caller => ({
  address: addressKey(req.ip),
  account,
  exempt,
});
