import { assertKeys, bodyAbout, providerIn } from "../call.js";
import type { Route } from "../call.js";
import { counted, parseMembersOf, parseRequired, parseResources, parseUuidParam } from "../query.js";
import { bodyOf, uuidSchema } from "../validate.js";
import { newest, providerPath, providerView } from "../views/providers.js";
import { lastOf } from "../../platform/http/index.js";
import { parseUuid } from "../../kernel/ids.js";

interface ProviderBody {
  readonly name: string;
  readonly uuid?: string;
  readonly parent_provider_uuid?: string | null;
}

const name = { type: "string", minLength: 1, maxLength: 200 } as const;
const parent = { anyOf: [uuidSchema, { type: "null" }] } as const;
const closed = (properties: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  type: "object",
  properties,
  required: ["name"],
  additionalProperties: false,
});
const createBody = bodyOf<ProviderBody>(closed({ name, uuid: uuidSchema }));
const createBody14 = bodyOf<ProviderBody>(closed({ name, uuid: uuidSchema, parent_provider_uuid: parent }));
const updateBody = bodyOf<ProviderBody>(closed({ name }));
const updateBody14 = bodyOf<ProviderBody>(closed({ name, parent_provider_uuid: parent }));

const canonical = (uuid: string | null | undefined): string =>
  uuid === undefined || uuid === null ? "" : (parseUuid(uuid) ?? "");

/** Query keys and the minor versions from which they are known. */
const LIST_KEYS = [
  ["name", 0],
  ["uuid", 0],
  ["member_of", 3],
  ["resources", 4],
  ["in_tree", 14],
  ["required", 18],
] as const;

export const providerRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/resource_providers",
    since: 0,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, query, minor }) => {
      assertKeys(
        query,
        LIST_KEYS.filter(([, since]) => minor >= since).map(([key]) => key),
      );
      const uuid = lastOf(query, "uuid"),
        inTree = lastOf(query, "in_tree"),
        resources = lastOf(query, "resources");
      const { providers } = await placement.listProviders(ctx, {
        name: lastOf(query, "name") ?? "",
        id: uuid === undefined ? "" : parseUuidParam("uuid", uuid),
        inTree: inTree === undefined ? "" : parseUuidParam("in_tree", inTree),
        memberOf: parseMembersOf("member_of", query.get("member_of") ?? [], minor),
        resources: resources === undefined ? new Map() : parseResources(resources),
        required: counted(query.get("required"), minor >= 39).flatMap((text) =>
          parseRequired(text, minor, { forbidden: minor >= 22, anyOf: true }),
        ),
      });
      return {
        status: 200,
        json: { resource_providers: providers.map((one) => providerView(one, minor)) },
        modified: newest(providers),
      };
    },
  },
  {
    method: "POST",
    path: "/resource_providers",
    since: 0,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, body, minor }) => {
      const input = (minor >= 14 ? createBody14 : createBody)(body);
      const { provider } = await placement.createProvider(ctx, {
        id: canonical(input.uuid),
        name: input.name,
        parentId: canonical(input.parent_provider_uuid),
      });
      const location = providerPath(provider?.id ?? "");
      return minor >= 20 && provider !== undefined
        ? { status: 200, location, json: providerView(provider, minor), modified: newest([provider]) }
        : { status: 201, location };
    },
  },
  {
    method: "GET",
    path: "/resource_providers/:uuid",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const { provider } = await call.placement.getProvider(call.ctx, { id: providerIn(call) });
      return {
        status: 200,
        json: provider && providerView(provider, call.minor),
        modified: newest([provider]),
      };
    },
  },
  {
    method: "PUT",
    path: "/resource_providers/:uuid",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const { ctx, placement, minor } = call;
      const input = await bodyAbout(call, minor >= 14 ? updateBody14 : updateBody);
      const { provider } = await placement.updateProvider(ctx, {
        id: providerIn(call),
        name: input.name,
        allowReparent: minor >= 37,
        ...(input.parent_provider_uuid === undefined
          ? {}
          : { parentId: canonical(input.parent_provider_uuid) }),
      });
      return { status: 200, json: provider && providerView(provider, minor), modified: newest([provider]) };
    },
  },
  {
    method: "DELETE",
    path: "/resource_providers/:uuid",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      await call.placement.deleteProvider(call.ctx, { id: providerIn(call) });
      return { status: 204 };
    },
  },
];
