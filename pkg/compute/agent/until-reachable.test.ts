import assert from "node:assert/strict";
import { CommonErrors } from "../../kernel/index.js";
import { systemClock } from "../../platform/process/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { untilReachable } from "./until-reachable.js";

describe("untilReachable", () => {
  /** Work that fails so and then succeeds. */
  const after = (...failures: Error[]): (() => Promise<string>) => {
    const left = [...failures];
    return async () => {
      const next = left.shift();
      if (next) throw next;
      return "done";
    };
  };

  it("sits out services that are not there and answers that come too late", async () => {
    const work = after(
      CommonErrors.UNAVAILABLE({ what: "cells" }),
      CommonErrors.DEADLINE_EXCEEDED({ what: "it" }),
    );
    assert.equal(await untilReachable(testCtx(), systemClock, work), "done");
  });

  it("passes on what waiting does not mend", async () => {
    await assert.rejects(untilReachable(testCtx(), systemClock, after(CommonErrors.INTERNAL({}))), {
      reason: "INTERNAL",
    });
  });

  it("ends with its context", async () => {
    const ending = new AbortController();
    const work = async (): Promise<never> => {
      ending.abort();
      throw CommonErrors.UNAVAILABLE({ what: "cells" });
    };
    await assert.rejects(untilReachable(testCtx({ signal: ending.signal }), systemClock, work), {
      reason: "UNAVAILABLE",
    });
  });
});
