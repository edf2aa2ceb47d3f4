import { CacheAggregateImagesRequest } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import type { CacheAggregateImagesResponse } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import type { HostTarget } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { anyOperation } from "../../model/operation-declaration.js";
import cacheAggregateImagesKind from "../../model/operations/cache-aggregate-images.js";
import type { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import { CommonErrors, mapLimit, parseUuid } from "../../kernel/index.js";
import { findImage } from "../create/image.js";
import { imageRefOf } from "../../clients/glance/index.js";
import { ApiErrors } from "../errors.js";
import { readAggregate } from "../cells/aggregates.js";
import { clientToken, id, uuid } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import { list } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import type { Parts } from "../parts.js";
import { beginSubjectOperation } from "./begin-subject-operation.js";

const MAX_IMAGES = 100;
const IMAGES_AT_ONCE = 8;
const imageIds: Rule<readonly string[]> = (value, path, report) => {
  if (value.length === 0) report(path, "must not be empty");
  list(uuid, MAX_IMAGES)([...value], path, report);
  if (new Set(value.map((one) => parseUuid(one) ?? one)).size < value.length)
    report(path, "must not name an image twice");
};

/** Has an aggregate's hosts fetch images. Who is not registered in any cell is left out. */
export const cacheAggregateImages = (
  parts: Parts,
): Guarded<CacheAggregateImagesRequest, CacheAggregateImagesResponse> =>
  guarded({ aggregateId: id, imageIds, clientToken }, own, async (ctx, request) => {
    const aggregate = await readAggregate(parts, ctx, request.aggregateId);
    const images = await mapLimit(request.imageIds, IMAGES_AT_ONCE, (imageId) =>
      acceptedImage(parts, ctx, parseUuid(imageId) ?? imageId),
    );
    const operation = await beginSubjectOperation(parts, ctx, anyOperation(cacheAggregateImagesKind), {
      hostId: "",
      method: "CacheAggregateImages",
      clientToken: request.clientToken,
      body: CacheAggregateImagesRequest.encode({ ...request, clientToken: "" }).finish(),
      input: {
        aggregateId: aggregate.id,
        imageIds: images.map((image) => image.id),
        images,
        hosts: await targetsOf(parts, ctx, aggregate.hosts),
      },
    });
    return { operation };
  });

/**
 * An image as the caller sees it now. Agents fetch it with the service's own rights, so the caller's must do.
 * @throws IMAGE_NOT_FOUND, IMAGE_NOT_ACTIVE
 */
async function acceptedImage(parts: Parts, ctx: Call, imageId: string): Promise<ImageRef> {
  const image = await findImage(parts, ctx, imageId);
  if (image === undefined) throw ApiErrors.IMAGE_NOT_FOUND({ image: imageId });
  if (image.status !== "active") throw ApiErrors.IMAGE_NOT_ACTIVE({ image: imageId });
  return imageRefOf(image, new Map());
}

/** @throws UNAVAILABLE when a host may be in a silent cell */
async function targetsOf(parts: Parts, ctx: Call, hosts: readonly string[]): Promise<HostTarget[]> {
  const wanted = new Set(hosts);
  if (wanted.size === 0) return [];
  const { cells, unreachable } = await parts.directory.now(
    ctx,
    await parts.databases.hostingCells(ctx),
    "records",
  );
  const found = cells
    .filter(({ cell }) => !unreachable.includes(cell))
    .flatMap(({ cell, nodes }) =>
      nodes.flatMap(({ host, id: hostId }) => (wanted.has(host) ? [{ cell, host, hostId }] : [])),
    );
  if (unreachable.length > 0 && found.length < wanted.size)
    throw CommonErrors.UNAVAILABLE({ what: "A cell" });
  return found;
}
