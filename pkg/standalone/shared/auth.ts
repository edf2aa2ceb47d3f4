import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { Actor, Ctx } from "../../kernel/index.js";
import { defineErrors } from "../../kernel/index.js";
import { ctxOf, setCaller } from "../../platform/http/index.js";

export const AuthErrors = defineErrors("standalone", {
  /** One text for every cause, so that nothing can be learned by trying. */
  UNAUTHENTICATED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
  FORBIDDEN: [
    "forbidden",
    (p: { action: string }) => `You are not authorized to perform the requested action: ${p.action}.`,
  ],
});

/** Looks a token up; undefined for one that is not valid. */
export type Authenticate = (ctx: Ctx, token: string) => Promise<Actor | undefined>;

/** Longest token worth looking up; ours have 43 characters, Fernet's some 250. */
const MAX_TOKEN = 4_096;

/** Refuses requests without a valid `X-Auth-Token` and puts the actor of the others into their context. */
export function requireToken(authenticate: Authenticate): RequestHandler {
  return async (req: Request, _res: Response, next: NextFunction): Promise<void> => {
    const token = req.get("x-auth-token") ?? "";
    const ctx = ctxOf(req);
    const actor = token === "" || token.length > MAX_TOKEN ? undefined : await authenticate(ctx, token);
    if (!actor) throw AuthErrors.UNAUTHENTICATED({});
    await setCaller(req, { actor });
    next();
  };
}
