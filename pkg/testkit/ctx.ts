import { rootCtx, serviceActor } from "../kernel/ctx.js";
import type { Ctx } from "../kernel/ctx.js";

let count = 0;

/**
 * A context of a service called `test`, with as much set as the case needs. Ten seconds, so that nothing
 * hangs.
 */
export function testCtx(init: Partial<Ctx> = {}): Ctx {
  return rootCtx({
    requestId: `req-test-${++count}`,
    actor: serviceActor("test"),
    deadlineMs: Date.now() + 10_000,
    ...init,
  });
}
