import { Router } from "express";
import { lastOf, queryOf } from "../../../../platform/http/index.js";
import { demandTrust } from "../../domain/policy.js";
import { E } from "../../errors.js";
import type { NetworkParts } from "../../ports.js";
import { reply } from "./common.js";
import { wholeNumber } from "./fields.js";

/** What the hosts' switches read, and so want to be told of. */
const FOLLOWED = ["/v2.0/ports", "/v2.0/security-groups", "/v2.0/security-group-rules"];
const READS = new Set(["GET", "HEAD", "OPTIONS"]);
const waitMs = wholeNumber(0, 30_000);

/**
 * Extension `kilonova-changes`: `GET /v2.0/kilonova-changes?since=<mark>&wait_ms=<ms>` answers `{"changes":
 * {"mark": …}}` once a port, a security group or a rule may have changed since that mark, or after the wait.
 * For services only. Mount it before the routes that change.
 */
export function changeRoutes({ changes }: NetworkParts): Router {
  const router = Router();
  router.use(FOLLOWED, (req, res, next) => {
    // "close" comes after the answer, hence after the commit, and also when nobody waited for it: then the
    // database may store the change later than that.
    if (!READS.has(req.method))
      res.once("close", () => {
        if (res.statusCode >= 500 || !res.writableFinished) changes.mayMove();
        else if (res.statusCode < 400) changes.moved();
      });
    next();
  });
  router.get(
    "/v2.0/kilonova-changes",
    reply(async (ctx, req, res) => {
      demandTrust(ctx.actor, "get_kilonova_changes");
      const query = queryOf(req);
      const wait = waitMs.safeParse(lastOf(query, "wait_ms") ?? "0");
      if (!wait.success)
        throw E.INVALID_INPUT({ problem: `wait_ms: ${wait.error.issues[0]?.message ?? "malformed"}` });
      const mark = await changes.wait(ctx, lastOf(query, "since"), wait.data);
      if (changes.closed) res.setHeader("Connection", "close");
      return { changes: { mark } };
    }),
  );
  return router;
}
