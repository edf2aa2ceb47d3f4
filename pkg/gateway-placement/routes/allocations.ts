import { KilonovaError } from "../../kernel/errors.js";
import type { ConsumerAllocations } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { providerIn } from "../call.js";
import type { Route } from "../call.js";
import { RestErrors } from "../errors.js";
import { inventoriesSchema, uuidSchema } from "../validate.js";
import type { InventoryBody } from "../validate.js";
import { inventoryMessage } from "../views/providers.js";
import { allocationsSchema, consumerIdOf, consumerMessage, perMinor } from "./allocation-body.js";
import type { AllocationsBody } from "./allocation-body.js";
import { parseUuid } from "../../kernel/ids.js";

type Many = Readonly<Record<string, AllocationsBody>>;
interface ReshapeBody {
  readonly inventories: Readonly<
    Record<
      string,
      {
        readonly resource_provider_generation: number;
        readonly inventories: Readonly<Record<string, InventoryBody>>;
      }
    >
  >;
  readonly allocations: Many;
}

const byConsumer = (minor: number, minProperties: number): Readonly<Record<string, unknown>> => ({
  type: "object",
  minProperties,
  additionalProperties: false,
  patternProperties: { [uuidSchema.pattern]: allocationsSchema(minor, true) },
});
const oneBody = perMinor<AllocationsBody>((minor) => allocationsSchema(minor, false));
const manyBody = perMinor<Many>((minor) => byConsumer(minor, 1));
const reshapeBody = perMinor<ReshapeBody>((minor) => ({
  type: "object",
  required: ["inventories", "allocations"],
  additionalProperties: false,
  properties: {
    inventories: {
      type: "object",
      minProperties: 1,
      additionalProperties: false,
      patternProperties: { [uuidSchema.pattern]: inventoriesSchema },
    },
    allocations: byConsumer(minor, 0),
  },
}));

const amounts = (resources: ReadonlyMap<string, bigint>): Record<string, number> =>
  Object.fromEntries([...resources].map(([name, amount]) => [name, Number(amount)]));
const messages = (many: Many, minor: number) =>
  Object.entries(many).map(([id, body]) => consumerMessage(consumerIdOf(id), body, minor));

function consumerView(held: ConsumerAllocations | undefined, minor: number): unknown {
  if (held === undefined) return { allocations: {} };
  return {
    allocations: Object.fromEntries(
      held.allocations.map((one) => [
        one.providerId,
        { generation: Number(one.providerGeneration), resources: amounts(one.resources) },
      ]),
    ),
    ...(minor >= 12 ? { project_id: held.projectId, user_id: held.userId } : {}),
    ...(minor >= 28 ? { consumer_generation: Number(held.consumerGeneration ?? 0n) } : {}),
    ...(minor >= 38 ? { consumer_type: held.consumerType === "" ? "unknown" : held.consumerType } : {}),
  };
}

export const allocationRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/resource_providers/:uuid/allocations",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const { consumers, providerGeneration } = await call.placement.getAllocations(call.ctx, {
        providerId: providerIn(call),
      });
      const allocations = Object.fromEntries(
        consumers.map((one) => [
          one.consumerId,
          {
            resources: amounts(one.allocations[0]?.resources ?? new Map()),
            ...(call.minor >= 28 ? { consumer_generation: Number(one.consumerGeneration ?? 0n) } : {}),
          },
        ]),
      );
      return { status: 200, json: { allocations, resource_provider_generation: Number(providerGeneration) } };
    },
  },
  {
    method: "GET",
    path: "/allocations/:consumer",
    since: 0,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params, minor }) => {
      const {
        consumers: [held],
      } = await placement.getAllocations(ctx, { consumerId: consumerIdOf(params["consumer"] ?? "") });
      return { status: 200, json: consumerView(held, minor) };
    },
  },
  {
    method: "PUT",
    path: "/allocations/:consumer",
    since: 0,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params, body, minor }) => {
      await placement.setAllocations(ctx, {
        consumers: [consumerMessage(consumerIdOf(params["consumer"] ?? ""), oneBody(minor, body), minor)],
      });
      return { status: 204 };
    },
  },
  {
    method: "DELETE",
    path: "/allocations/:consumer",
    since: 0,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params }) => {
      const { released } = await placement.releaseAllocations(ctx, {
        consumerId: consumerIdOf(params["consumer"] ?? ""),
      });
      if (!released) throw RestErrors.ROUTE_NOT_FOUND({});
      return { status: 204 };
    },
  },
  {
    method: "POST",
    path: "/allocations",
    since: 13,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, body, minor }) => {
      await placement.setAllocations(ctx, { consumers: messages(manyBody(minor, body), minor) });
      return { status: 204 };
    },
  },
  {
    method: "POST",
    path: "/reshaper",
    since: 30,
    policy: "service",
    handler: async ({ ctx, placement, body, minor }) => {
      const { inventories, allocations } = reshapeBody(minor, body);
      const named = Object.entries(inventories).map(([id, one]) => ({
        providerId: parseUuid(id) ?? id,
        generation: BigInt(one.resource_provider_generation),
        inventories: Object.entries(one.inventories).map(([resourceClass, inventory]) =>
          inventoryMessage(resourceClass, inventory),
        ),
      }));
      try {
        await placement.reshape(ctx, { inventories: named, consumers: messages(allocations, minor) });
      } catch (error) {
        if (
          !(error instanceof KilonovaError) ||
          error.reason !== "PROVIDER_UNKNOWN" ||
          !named.some(({ providerId }) => providerId === error.facts["provider"])
        )
          throw error;
        throw new KilonovaError({
          kind: "invalid",
          domain: error.domain,
          reason: "RESHAPE_PROVIDER_UNKNOWN",
          message: error.message,
          cause: error,
        });
      }
      return { status: 204 };
    },
  },
];
