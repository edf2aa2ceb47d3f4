import { rootCtx, serviceActor } from "../kernel/ctx.js";
import type { Ctx } from "../kernel/ctx.js";

let count = 0;

/**
 * A context of a service called `test`, with as much set as the case needs. Half a minute, so that nothing
 * hangs, and that a machine that stands still for a while is no failure.
 */
export function testCtx(init: Partial<Ctx> = {}): Ctx {
  return rootCtx({
    requestId: `req-test-${++count}`,
    actor: serviceActor("test"),
    deadlineMs: Date.now() + 30_000,
    ...init,
  });
}
