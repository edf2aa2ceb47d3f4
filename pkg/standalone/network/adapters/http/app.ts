import { Router } from "express";
import type { Express, Request, Response } from "express";
import { KilonovaError } from "../../../../kernel/index.js";
import { baseUrlOf, cors, failureHandler, httpApp, jsonBody } from "../../../../platform/http/index.js";
import type { FailureRenderer, HttpEnv } from "../../../../platform/http/index.js";
import type { Authenticate } from "../../../shared/auth.js";
import { requireToken } from "../../../shared/auth.js";
import { extensions } from "../../domain/extensions.js";
import { E, statusOf } from "../../errors.js";
import type { NetworkParts } from "../../ports.js";
import { bindingRoutes } from "./binding-routes.js";
import { changeRoutes } from "./change-routes.js";
import { idOf, reply } from "./common.js";
import { floatingIpRoutes } from "./floating-ip-routes.js";
import { networkRoutes } from "./network-routes.js";
import { portRoutes } from "./port-routes.js";
import { quotaRoutes } from "./quota-routes.js";
import { routerRoutes } from "./router-routes.js";
import { securityGroupRoutes } from "./security-group-routes.js";
import { subnetRoutes } from "./subnet-routes.js";

export interface NetworkAppOptions extends HttpEnv {
  readonly corsOrigins?: readonly string[];
  /** Where tokens come from; told in 401s. */
  readonly identityUrl: string;
}

const BODY_LIMIT = 1024 * 1024;

/** The Network v2.0 API as an Express app. */
export function networkApp(
  parts: NetworkParts,
  options: NetworkAppOptions,
  authenticate: Authenticate,
): Express {
  const app = httpApp("network", options);
  app.use(cors(options.corsOrigins ?? []));
  app.get("/", (req, res) => {
    res.json({
      versions: [
        { id: "v2.0", status: "CURRENT", links: [{ rel: "self", href: `${baseUrlOf(req)}/v2.0/` }] },
      ],
    });
  });
  app.use("/v2.0", requireToken(authenticate));
  app.use(jsonBody(BODY_LIMIT));
  app.use(
    metaRoutes(),
    changeRoutes(parts),
    networkRoutes(parts),
    subnetRoutes(parts),
    bindingRoutes(parts),
    portRoutes(parts),
  );
  app.use(securityGroupRoutes(parts), quotaRoutes(parts), routerRoutes(parts), floatingIpRoutes(parts));
  app.use((_req, _res, next) => next(Object.assign(new Error("no such resource"), { status: 404 })));
  app.use(failureHandler(renderer(options.identityUrl), statusOf));
  return app;
}

/** Extensions, and lists that are always empty here but that clients ask for. */
function metaRoutes(): Router {
  const router = Router();
  router.get(
    "/v2.0",
    reply(async () => ({ resources: [] })),
  );
  router.get(
    "/v2.0/extensions",
    reply(async () => ({ extensions })),
  );
  router.get(
    "/v2.0/extensions/:id",
    reply(async (_ctx, req) => {
      const extension = extensions.find((one) => one.alias === idOf(req));
      if (!extension) throw E.EXTENSION_NOT_FOUND({ id: idOf(req) });
      return { extension };
    }),
  );
  for (const name of [
    "agents",
    "availability_zones",
    "service_providers",
    "subnetpools",
    "address_scopes",
    "rbac_policies",
    "segments",
    "trunks",
  ]) {
    router.get(
      `/v2.0/${name.replaceAll("_", "-")}`,
      reply(async () => ({ [name]: [] })),
    );
    if (name.includes("_"))
      router.get(
        `/v2.0/${name}`,
        reply(async () => ({ [name]: [] })),
      );
  }
  return router;
}

/** Neutron writes `FloatingIP` in its exceptions' names, but for one, and one `ID`. */
const IRREGULAR: Readonly<Record<string, string>> = {
  DEVICE_ID_NOT_OWNED_BY_TENANT: "DeviceIDNotOwnedByTenant",
  ROUTER_EXTERNAL_GATEWAY_IN_USE_BY_FLOATING_IP: "RouterExternalGatewayInUseByFloatingIp",
};

/** `PORT_NOT_FOUND` → `PortNotFound`, the name of Neutron's exception, which clients branch on. */
const typeOf = (reason: string): string =>
  IRREGULAR[reason] ??
  reason
    .toLowerCase()
    .replaceAll(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
    .replace(/(Floating|And)Ip/, "$1IP");

const renderer =
  (identityUrl: string): FailureRenderer =>
  (failed, _req: Request, res: Response, error: unknown) => {
    if (failed.status === 401) {
      res.setHeader("WWW-Authenticate", `Keystone uri="${identityUrl}"`);
      res.status(401).json({ error: { code: 401, title: failed.title, message: failed.message } });
      return;
    }
    const own = error instanceof KilonovaError && error.domain === "network";
    const type = own
      ? typeOf(error.reason)
      : failed.status === 404
        ? "HTTPNotFound"
        : failed.status < 500
          ? "HTTPBadRequest"
          : "HTTPInternalServerError";
    const message = failed.status === 404 && !own ? "The resource could not be found." : failed.message;
    res.status(failed.status).json({ NeutronError: { type, message, detail: "" } });
  };
