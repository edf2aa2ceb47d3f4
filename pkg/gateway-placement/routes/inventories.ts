import type { ResourceProvider } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { KilonovaError } from "../../kernel/errors.js";
import { bodyAbout, providerIn } from "../call.js";
import type { Answer, Route } from "../call.js";
import { RestErrors } from "../errors.js";
import {
  bodyOf,
  classSchema,
  generationSchema,
  inventoriesSchema,
  inventoryProperties,
} from "../validate.js";
import type { InventoryBody } from "../validate.js";
import {
  inventoriesView,
  inventoryMessage,
  inventoryView,
  newest,
  providerPath,
} from "../views/providers.js";

interface AllBody {
  readonly resource_provider_generation: number;
  readonly inventories: Readonly<Record<string, InventoryBody>>;
}
type OneBody = InventoryBody & {
  readonly resource_class?: string;
  readonly resource_provider_generation?: number;
};

const allBody = bodyOf<AllBody>(inventoriesSchema);
const one = (required: readonly string[]): Readonly<Record<string, unknown>> => ({
  type: "object",
  required,
  additionalProperties: false,
  properties: {
    ...inventoryProperties,
    resource_class: classSchema,
    resource_provider_generation: generationSchema,
  },
});
const createBody = bodyOf<OneBody>(one(["total", "resource_class"]));
const updateBody = bodyOf<OneBody>(one(["total", "resource_provider_generation"]));

const allOf = (provider: ResourceProvider | undefined): Answer => ({
  status: 200,
  json: provider && inventoriesView(provider),
  modified: newest([provider]),
});

function oneOf(
  provider: ResourceProvider | undefined,
  resourceClass: string,
  answer: Partial<Answer> = {},
): Answer {
  const inventory = provider?.inventories.find((candidate) => candidate.resourceClass === resourceClass);
  if (provider === undefined || inventory === undefined) throw RestErrors.ROUTE_NOT_FOUND({});
  return {
    status: 200,
    modified: newest([provider]),
    json: {
      ...(inventoryView(inventory) as object),
      resource_provider_generation: Number(provider.generation),
    },
    ...answer,
  };
}

/** Below 1.26 nothing may be reserved away completely. */
function assertRoom(minor: number, resourceClass: string, { total, reserved = 0 }: InventoryBody): void {
  if (minor < 26 && reserved >= total) throw RestErrors.ZERO_CAPACITY({ resource_class: resourceClass });
}

export const inventoryRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/resource_providers/:uuid/inventories",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) =>
      allOf((await call.placement.getInventories(call.ctx, { providerId: providerIn(call) })).provider),
  },
  {
    method: "PUT",
    path: "/resource_providers/:uuid/inventories",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const { resource_provider_generation: generation, inventories } = await bodyAbout(call, (json) => {
        const body = allBody(json);
        for (const [resourceClass, one] of Object.entries(body.inventories))
          assertRoom(call.minor, resourceClass, one);
        return body;
      });
      const { provider } = await call.placement.setInventories(call.ctx, {
        providerId: providerIn(call),
        generation: BigInt(generation),
        replaceAll: true,
        inventories: Object.entries(inventories).map(([resourceClass, body]) =>
          inventoryMessage(resourceClass, body),
        ),
      });
      return allOf(provider);
    },
  },
  {
    method: "POST",
    path: "/resource_providers/:uuid/inventories",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const body = await bodyAbout(call, (json) => {
        const asked = createBody(json);
        assertRoom(call.minor, asked.resource_class ?? "", asked);
        return asked;
      });
      const { resource_class: resourceClass = "", resource_provider_generation: generation } = body;
      const providerId = providerIn(call);
      const { provider } = await call.placement.setInventories(call.ctx, {
        providerId,
        createOnly: true,
        inventories: [inventoryMessage(resourceClass, body)],
        ...(generation === undefined ? { ignoreGeneration: true } : { generation: BigInt(generation) }),
      });
      return oneOf(provider, resourceClass, {
        status: 201,
        location: `${providerPath(providerId)}/inventories/${resourceClass}`,
      });
    },
  },
  {
    method: "DELETE",
    path: "/resource_providers/:uuid/inventories",
    since: 5,
    missingMeans: "method",
    policy: "admin-or-service",
    handler: async (call) => {
      await call.placement.setInventories(call.ctx, {
        providerId: providerIn(call),
        ignoreGeneration: true,
        replaceAll: true,
      });
      return { status: 204 };
    },
  },
  {
    method: "GET",
    path: "/resource_providers/:uuid/inventories/:rc",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) =>
      oneOf(
        (await call.placement.getInventories(call.ctx, { providerId: providerIn(call) })).provider,
        call.params["rc"] ?? "",
      ),
  },
  {
    method: "PUT",
    path: "/resource_providers/:uuid/inventories/:rc",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const resourceClass = call.params["rc"] ?? "";
      const body = await bodyAbout(call, (json) => {
        const asked = updateBody(json);
        assertRoom(call.minor, resourceClass, asked);
        return asked;
      });
      const { provider } = await call.placement.setInventories(call.ctx, {
        providerId: providerIn(call),
        updateOnly: true,
        generation: BigInt(body.resource_provider_generation ?? 0),
        inventories: [inventoryMessage(resourceClass, body)],
      });
      return oneOf(provider, resourceClass);
    },
  },
  {
    method: "DELETE",
    path: "/resource_providers/:uuid/inventories/:rc",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      try {
        await call.placement.setInventories(call.ctx, {
          providerId: providerIn(call),
          ignoreGeneration: true,
          removeClasses: [call.params["rc"] ?? ""],
        });
      } catch (error) {
        // Here, and only here, the code of a lost race also stands for "in use". @source placement-api §1
        if (error instanceof KilonovaError && error.reason === "INVENTORY_IN_USE")
          throw new KilonovaError({
            kind: "refused",
            domain: error.domain,
            reason: "CONTENTION",
            message: error.message,
          });
        throw error;
      }
      return { status: 204 };
    },
  },
];
