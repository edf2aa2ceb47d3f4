import cacheAggregateImages from "../../model/operations/cache-aggregate-images.js";
import cacheHostImages from "../../model/operations/cache-host-images.js";
import { defineSubjectKind } from "../engine/kind.js";
import { fanOut } from "../steps/fan-out.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports, precacheConcurrency }: KindDeps) =>
  defineSubjectKind("cloud", cacheAggregateImages, {
    steps: [
      fanOut(ports, {
        name: "hosts",
        timeoutMs: 24 * 3_600_000,
        declaration: cacheHostImages,
        atOnce: precacheConcurrency,
        hosts: ({ input }) => input.hosts,
        input: ({ input: { imageIds, images } }) => ({ imageIds, images }),
      }),
    ],
  });
