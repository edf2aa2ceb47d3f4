import { Router } from "express";
import type { Request } from "express";
import { lastOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import { endpointsOf } from "../../domain/catalog.js";
import { listJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { stableId } from "../crypto.js";
import { baseOf, demandCommon, reply, selfUrl } from "./common.js";

type Entry = Readonly<Record<string, unknown>> & { readonly id: string };

/** Services, endpoints and regions: read-only here, since the catalog is configuration. */
export function catalogRoutes({ config }: IdentityParts): Router {
  const router = Router();
  const kinds: readonly {
    readonly many: string;
    readonly one: string;
    readonly open: boolean;
    readonly entries: (base: string) => Entry[];
  }[] = [
    {
      many: "services",
      one: "service",
      open: false,
      entries: (base) =>
        config.services().map((service) =>
          entry(base, "services", stableId(`service/${service.type}`), {
            type: service.type,
            name: service.name,
            description: service.description ?? "",
            enabled: true,
          }),
        ),
    },
    {
      many: "endpoints",
      one: "endpoint",
      open: false,
      entries: (base) =>
        config.services().flatMap((service) =>
          endpointsOf(service).map(([name, url]) =>
            entry(base, "endpoints", stableId(`endpoint/${service.type}/${name}`), {
              interface: name,
              url,
              region: config.region,
              region_id: config.region,
              service_id: stableId(`service/${service.type}`),
              enabled: true,
            }),
          ),
        ),
    },
    {
      many: "regions",
      one: "region",
      open: true,
      entries: (base) => [entry(base, "regions", config.region, { description: "", parent_region_id: null })],
    },
  ];
  for (const { many, one, open, entries } of kinds) {
    router.get(
      `/v3/${many}`,
      reply(async (ctx, req) => {
        if (!open) demandCommon(ctx, `identity:list_${many}`);
        return listJson(many, entries(baseOf(req)).filter(matchesQuery(req)), selfUrl(req, baseOf(req)));
      }),
    );
    router.get(
      `/v3/${many}/:id`,
      reply(async (ctx, req) => {
        if (!open) demandCommon(ctx, `identity:get_${one}`);
        const id = pathOf(req, "id");
        const found = entries(baseOf(req)).find((each) => each.id === id);
        if (!found) throw E.NOT_FOUND({ what: one, id });
        return { [one]: found };
      }),
    );
    const refuse = reply(async () => {
      throw E.IMMUTABLE({ what: "The service catalog of this deployment is configured and" });
    });
    router.post(`/v3/${many}`, refuse);
    router.patch(`/v3/${many}/:id`, refuse);
    router.delete(`/v3/${many}/:id`, refuse);
  }
  return router;
}

const entry = (base: string, path: string, id: string, rest: Readonly<Record<string, unknown>>): Entry => ({
  id,
  ...rest,
  links: { self: `${base}/v3/${path}/${id}` },
});

const FILTERS = ["name", "type", "interface", "service_id", "region_id"] as const;

const matchesQuery =
  (req: Request) =>
  (candidate: Entry): boolean =>
    FILTERS.every((name) => {
      const wanted = lastOf(queryOf(req), name);
      return wanted === undefined || candidate[name] === undefined || candidate[name] === wanted;
    });
