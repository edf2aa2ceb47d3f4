import { assertKeys } from "../call.js";
import type { Route } from "../call.js";
import { RestErrors } from "../errors.js";
import { bodyOf } from "../validate.js";
import { lastOf } from "../../platform/http/index.js";

const classBody = bodyOf<{ readonly name: string }>({
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: { name: { type: "string", pattern: "^CUSTOM_[A-Z0-9_]+$", maxLength: 255 } },
});

const classView = (name: string): unknown => ({
  name,
  links: [{ rel: "self", href: `/resource_classes/${name}` }],
});

/** `in:A,B` or `startswith:P`. */
function traitFilter(text: string | undefined): { names: string[]; prefix: string } {
  if (text === undefined) return { names: [], prefix: "" };
  if (text.startsWith("in:")) return { names: text.slice(3).split(","), prefix: "" };
  if (text.startsWith("startswith:")) return { names: [], prefix: text.slice("startswith:".length) };
  throw RestErrors.QUERY_INVALID({
    problem:
      "Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]",
  });
}

function associatedFilter(text: string | undefined): { associated?: boolean } {
  if (text === undefined) return {};
  if (!/^(true|false)$/i.test(text))
    throw RestErrors.QUERY_INVALID({
      problem: `The query parameter "associated" only accepts "true" or "false", but got: ${text}`,
    });
  return { associated: text.toLowerCase() === "true" };
}

export const nameRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/traits",
    since: 6,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, query }) => {
      assertKeys(query, ["name", "associated"]);
      const { traits } = await placement.listTraits(ctx, {
        ...traitFilter(lastOf(query, "name")),
        ...associatedFilter(lastOf(query, "associated")),
      });
      return { status: 200, json: { traits } };
    },
  },
  {
    method: "GET",
    path: "/traits/:name",
    since: 6,
    policy: "admin-or-service",
    anyAccept: true,
    handler: async ({ ctx, placement, params }) => {
      const { traits } = await placement.listTraits(ctx, { names: [params["name"] ?? ""] });
      if (traits.length === 0) throw RestErrors.ROUTE_NOT_FOUND({});
      return { status: 204, modified: undefined };
    },
  },
  {
    method: "PUT",
    path: "/traits/:name",
    since: 6,
    policy: "admin-or-service",
    bodiless: true,
    handler: async ({ ctx, placement, params }) => {
      const name = params["name"] ?? "";
      const { created } = await placement.ensureTrait(ctx, { name });
      return { status: created ? 201 : 204, location: `/traits/${name}`, dated: true };
    },
  },
  {
    method: "DELETE",
    path: "/traits/:name",
    since: 6,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params }) => {
      await placement.deleteTrait(ctx, { name: params["name"] ?? "" });
      return { status: 204 };
    },
  },
  {
    method: "GET",
    path: "/resource_classes",
    since: 2,
    policy: "admin-or-service",
    handler: async ({ ctx, placement }) => ({
      status: 200,
      json: {
        resource_classes: (await placement.listResourceClasses(ctx, {})).resourceClasses.map(classView),
      },
    }),
  },
  {
    method: "POST",
    path: "/resource_classes",
    since: 2,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, body }) => {
      const { name } = classBody(body);
      await placement.ensureResourceClass(ctx, { name, mustBeNew: true });
      return { status: 201, location: `/resource_classes/${name}` };
    },
  },
  {
    method: "GET",
    path: "/resource_classes/:name",
    since: 2,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params }) => {
      const {
        resourceClasses: [name = ""],
      } = await placement.listResourceClasses(ctx, { name: params["name"] ?? "" });
      return { status: 200, json: classView(name) };
    },
  },
  {
    method: "PUT",
    path: "/resource_classes/:name",
    since: 2,
    until: 6,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params, body }) => {
      const { name } = classBody(body);
      await placement.renameResourceClass(ctx, { name: params["name"] ?? "", newName: name });
      return { status: 200, json: classView(name) };
    },
  },
  {
    method: "PUT",
    path: "/resource_classes/:name",
    since: 7,
    policy: "admin-or-service",
    bodiless: true,
    handler: async ({ ctx, placement, params }) => {
      const name = params["name"] ?? "";
      const { created } = await placement.ensureResourceClass(ctx, { name });
      return { status: created ? 201 : 204, location: `/resource_classes/${name}` };
    },
  },
  {
    method: "DELETE",
    path: "/resource_classes/:name",
    since: 2,
    policy: "admin-or-service",
    handler: async ({ ctx, placement, params }) => {
      await placement.deleteResourceClass(ctx, { name: params["name"] ?? "" });
      return { status: 204 };
    },
  },
];
