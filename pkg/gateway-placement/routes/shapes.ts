import type { ResourceProvider } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { parseUuid } from "../../kernel/ids.js";
import { bodyAbout, providerIn } from "../call.js";
import type { Answer, Route } from "../call.js";
import { bodyOf, generationSchema, uuidSchema } from "../validate.js";
import { aggregatesView, newest, traitsView } from "../views/providers.js";

interface TraitsBody {
  readonly traits: readonly string[];
  readonly resource_provider_generation: number;
}
interface AggregatesBody {
  readonly aggregates: readonly string[];
  readonly resource_provider_generation: number;
}

const traitsBody = bodyOf<TraitsBody>({
  type: "object",
  required: ["traits", "resource_provider_generation"],
  additionalProperties: false,
  properties: {
    resource_provider_generation: generationSchema,
    traits: {
      type: "array",
      uniqueItems: true,
      items: { type: "string", pattern: "^[A-Z0-9_]+$", minLength: 1, maxLength: 255 },
    },
  },
});
const uuids = { type: "array", uniqueItems: true, items: uuidSchema } as const;
const aggregatesBody = bodyOf<readonly string[]>(uuids);
const aggregatesBody19 = bodyOf<AggregatesBody>({
  type: "object",
  required: ["aggregates", "resource_provider_generation"],
  additionalProperties: false,
  properties: { aggregates: uuids, resource_provider_generation: generationSchema },
});

const traits = (provider: ResourceProvider | undefined): Answer => ({
  status: 200,
  json: provider && traitsView(provider),
  modified: newest([provider]),
});
const aggregates = (provider: ResourceProvider | undefined, minor: number): Answer => ({
  status: 200,
  json: provider && aggregatesView(provider, minor),
  modified: newest([provider]),
});

export const shapeRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/resource_providers/:uuid/traits",
    since: 6,
    policy: "admin-or-service",
    handler: async (call) =>
      traits((await call.placement.getProviderTraits(call.ctx, { providerId: providerIn(call) })).provider),
  },
  {
    method: "PUT",
    path: "/resource_providers/:uuid/traits",
    since: 6,
    policy: "admin-or-service",
    handler: async (call) => {
      const body = traitsBody(call.body);
      const { provider } = await call.placement.setProviderTraits(call.ctx, {
        providerId: providerIn(call),
        generation: BigInt(body.resource_provider_generation),
        traits: [...body.traits],
      });
      return traits(provider);
    },
  },
  {
    method: "DELETE",
    path: "/resource_providers/:uuid/traits",
    since: 6,
    policy: "admin-or-service",
    handler: async (call) => {
      await call.placement.setProviderTraits(call.ctx, { providerId: providerIn(call), traits: [] });
      return { status: 204 };
    },
  },
  {
    method: "GET",
    path: "/resource_providers/:uuid/aggregates",
    since: 1,
    policy: "admin-or-service",
    handler: async (call) =>
      aggregates(
        (await call.placement.getProviderAggregates(call.ctx, { providerId: providerIn(call) })).provider,
        call.minor,
      ),
  },
  {
    method: "PUT",
    path: "/resource_providers/:uuid/aggregates",
    since: 1,
    policy: "admin-or-service",
    handler: async (call) => {
      const body = await bodyAbout(call, (json) =>
        call.minor >= 19
          ? aggregatesBody19(json)
          : { aggregates: aggregatesBody(json), resource_provider_generation: undefined },
      );
      const { provider } = await call.placement.setProviderAggregates(call.ctx, {
        providerId: providerIn(call),
        aggregates: body.aggregates.map((one) => parseUuid(one) ?? one),
        ...(body.resource_provider_generation === undefined
          ? {}
          : { generation: BigInt(body.resource_provider_generation) }),
      });
      // The list comes back as it was sent.
      return aggregates(provider && { ...provider, aggregates: [...body.aggregates] }, call.minor);
    },
  },
];
