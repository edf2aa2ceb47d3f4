import type { Request, Response } from "express";
import { parseUuid } from "../../../../kernel/index.js";
import type { Ctx } from "../../../../kernel/index.js";
import { ctxOf, pathOf } from "../../../../platform/http/index.js";
import { E } from "../../errors.js";

/** One handler of the Image service: what it returns is sent, `undefined` as an empty 204. */
export const reply =
  (handler: (ctx: Ctx, req: Request, res: Response) => Promise<unknown>, status = 200) =>
  async (req: Request, res: Response): Promise<void> => {
    const body = await handler(ctxOf(req), req, res);
    if (res.headersSent) return;
    if (body === undefined) res.status(204).end();
    else res.status(status).json(body);
  };

/** The image's id in the path. @throws IMAGE_NOT_FOUND when it is no UUID: clients try names here */
export function imageId(req: Request): string {
  const id = pathOf(req, "id");
  const canonical = parseUuid(id);
  if (canonical === undefined) throw E.IMAGE_NOT_FOUND({ id });
  return canonical;
}
