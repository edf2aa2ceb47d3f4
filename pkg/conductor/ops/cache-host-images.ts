import cacheImages from "../../compute/commands/cache-images.js";
import cacheHostImages from "../../model/operations/cache-host-images.js";
import { defineSubjectKind, done, fail } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import { agentReports, commandAgent } from "../steps/agent-command.js";
import type { KindDeps } from "../kind-factory.js";

/** There is nothing to undo: what was fetched is evicted when nobody uses it. */
export default ({ ports }: KindDeps) =>
  defineSubjectKind("host", cacheHostImages, {
    steps: [
      {
        name: "fetch",
        event: "",
        timeoutMs: 4 * 3_600_000,
        run: (call) => {
          const { host } = call.host;
          const { imageIds, images } = call.input;
          const at = { host, consumed: agentReports(call) };
          return commandAgent(
            call,
            ports,
            { cell: call.database, host },
            cacheImages,
            { imageIds, images },
            {
              done: ({ fetchedIds, failures }) =>
                failures.length === 0
                  ? done({ fetched: fetchedIds.length }, undefined, at)
                  : fail(
                      ConductorErrors.IMAGES_NOT_CACHED({
                        failed: String(failures.length),
                        images: String(imageIds.length),
                      }),
                      {
                        ...at,
                        details: failures.map(({ imageId, reason }) => `${imageId}: ${reason}`).join(", "),
                      },
                    ),
              failed: ({ errorReason, errorMessage, errorDetails }) =>
                fail(
                  { reason: errorReason, domain: "compute", message: errorMessage },
                  { ...at, details: errorDetails },
                ),
            },
          );
        },
      },
    ],
  });
