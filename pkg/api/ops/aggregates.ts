import type {
  Aggregate,
  CreateAggregateResponse,
  DeleteAggregateRequest,
  DeleteAggregateResponse,
  GetAggregateRequest,
  GetAggregateResponse,
  ListAggregatesRequest,
  ListAggregatesResponse,
  SetAggregateMetadataRequest,
  SetAggregateMetadataResponse,
  UpdateAggregateRequest,
  UpdateAggregateResponse,
} from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { CreateAggregateRequest } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import type { Ctx } from "../../kernel/index.js";
import { ZONE_KEY } from "../../model/aggregate-zone.js";
import { changeZone, haveServers, readAggregate } from "../cells/aggregates.js";
import { bodyHash } from "../crypto/hashes.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import { ApiErrors } from "../errors.js";
import { rowsOf } from "../domain/page.js";
import { clientToken, id, metadataKey, metadataValue, name, pageSize, pageToken } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { given, list, map, optional, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

const noColon: Rule<string> = (value, path, report) => {
  if (value.includes(":")) report(path, "must not contain a colon");
};
const zone: Rule<string> = (value, path, report) => {
  if (value !== "") name(value, path, report);
  noColon(value, path, report);
};
const newZone: Rule<string> = (value, path, report) => {
  name(value, path, report);
  noColon(value, path, report);
};

/** Makes an aggregate without hosts. */
export const createAggregate = (parts: Parts): Guarded<CreateAggregateRequest, CreateAggregateResponse> =>
  guarded({ clientToken, name, availabilityZone: optional(newZone) }, own, async (ctx, request) => {
    const { availabilityZone } = request;
    const hash = bodyHash(CreateAggregateRequest.encode({ ...request, clientToken: "" }).finish());
    return parts.aggregates.createStoredAggregate(ctx, {
      aggregate: {
        id: parts.ids.uuid(),
        name: request.name,
        availabilityZone,
        metadata: new Map(availabilityZone === undefined ? [] : [[ZONE_KEY, availabilityZone]]),
      },
      once: { clientToken: request.clientToken, bodyHash: Buffer.from(hash), method: "CreateAggregate" },
    });
  });

/** Reads an aggregate by UUID or number. */
export const getAggregate = (parts: Parts): Guarded<GetAggregateRequest, GetAggregateResponse> =>
  guarded({ aggregateId: id }, own, async (ctx, { aggregateId }) => {
    return { aggregate: await readAggregate(parts, ctx, aggregateId) };
  });

/** Lists aggregates by number. */
export const listAggregates = (parts: Parts): Guarded<ListAggregatesRequest, ListAggregatesResponse> =>
  guarded({ host: given(text()), pageSize, pageToken }, own, async (ctx, request) => {
    const binding = JSON.stringify(["aggregates", request.host]);
    const [after = ""] =
      request.pageToken === "" ? [] : decodePageToken(parts.tokens, binding, request.pageToken);
    const { aggregates, nextPageToken } = await parts.aggregates.listStoredAggregates(ctx, {
      host: request.host ?? "",
      pageSize: rowsOf(request.pageSize),
      pageToken: after,
    });
    return {
      aggregates,
      nextPageToken: nextPageToken === "" ? "" : encodePageToken(parts.tokens, binding, [nextPageToken]),
    };
  });

/** Changes name or zone. */
export const updateAggregate = (parts: Parts): Guarded<UpdateAggregateRequest, UpdateAggregateResponse> =>
  guarded(
    { aggregateId: id, name: optional(name), availabilityZone: optional(zone) },
    own,
    async (ctx, request) => {
      const before = await readAggregate(parts, ctx, request.aggregateId);
      if (request.availabilityZone !== undefined)
        await requireZoneFree(parts, ctx, before, request.availabilityZone);
      return {
        aggregate: await changeZone(parts, ctx, request.aggregateId, {
          name: request.name,
          setMetadata: new Map(request.availabilityZone ? [[ZONE_KEY, request.availabilityZone]] : []),
          removeMetadata: request.availabilityZone === "" ? [ZONE_KEY] : [],
        }),
      };
    },
  );

/** Adds, replaces or removes metadata. */
export const setAggregateMetadata = (
  parts: Parts,
): Guarded<SetAggregateMetadataRequest, SetAggregateMetadataResponse> =>
  guarded(
    { aggregateId: id, metadata: map(metadataKey, metadataValue), removeKeys: list(metadataKey) },
    own,
    async (ctx, request) => {
      const wanted = request.removeKeys.includes(ZONE_KEY) ? "" : request.metadata.get(ZONE_KEY);
      if (wanted !== undefined && wanted !== "") requireZoneName(wanted);
      const before = await readAggregate(parts, ctx, request.aggregateId);
      if (wanted !== undefined) await requireZoneFree(parts, ctx, before, wanted);
      return {
        aggregate: await changeZone(parts, ctx, request.aggregateId, {
          setMetadata: request.metadata,
          removeMetadata: request.removeKeys,
        }),
      };
    },
  );

/** Deletes an aggregate without hosts. */
export const deleteAggregate = (parts: Parts): Guarded<DeleteAggregateRequest, DeleteAggregateResponse> =>
  guarded({ aggregateId: id }, own, async (ctx, { aggregateId }) => {
    return parts.aggregates.deleteStoredAggregate(ctx, { aggregateId });
  });

function requireZoneName(wanted: string): void {
  newZone(wanted, `metadata["${ZONE_KEY}"]`, (field, problem) => {
    throw ApiErrors.INVALID_REQUEST({ field, problem }, { violations: [{ field, description: problem }] });
  });
}

/** @param wanted  "" for no zone @throws ZONE_IN_USE when the zone of hosts with servers would change */
async function requireZoneFree(
  parts: Parts,
  ctx: Ctx,
  { hosts, availabilityZone, number }: Aggregate,
  wanted: string,
): Promise<void> {
  if ((availabilityZone ?? "") === wanted || hosts.length === 0) return;
  if (await haveServers(parts, ctx, hosts)) throw ApiErrors.ZONE_IN_USE({ aggregate: number.toString() });
}
