import type { z } from "zod";
import { isCanonicalUuid, KilonovaError } from "../../kernel/index.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { httpClient } from "../../platform/http/index.js";
import type { HttpAnswer, HttpRequest } from "../../platform/http/index.js";
import { serviceCaller } from "../keystone/index.js";
import type { ServiceRequest, ServiceSession } from "../keystone/index.js";
import { failureOfAnswer, NeutronErrors } from "./errors.js";
import { createPortJson, readOne, shapes, updatePortJson } from "./json.js";
import { listingPages } from "./pages.js";
import type { NetworkCaller, Neutron, PortInfo, PortQuery } from "./ports.js";

export interface NeutronOptions {
  readonly session: ServiceSession;
  readonly clock: Clock;
  /** 0..1 */
  readonly random: () => number;
  /** Milliseconds per call. Default 30,000. */
  readonly timeoutMs?: number;
}

type Ask = (ctx: Ctx, what: string, request: ServiceRequest, good: readonly number[]) => Promise<HttpAnswer>;

const EXTENSIONS_MS = 600_000;
/** Beyond the wait that was asked for. */
const ANSWER_MS = 10_000;

/** Network over HTTP: works against Neutron and the embedded service alike. */
export function neutronClient(options: NeutronOptions): Neutron {
  const { clock, random, timeoutMs } = options;
  const http = httpClient({
    what: "The Network service",
    clock,
    random,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const caller = serviceCaller(http, options.session, "network", /\/v2\.0$/);
  const ask: Ask = async (ctx, what, request, good) => {
    const answer = await asNetworkFailure(() => caller.call(ctx, request));
    if (!good.includes(answer.status)) throw failureOfAnswer(answer, what);
    return answer;
  };
  const get = async <S extends z.ZodType>(
    ctx: Ctx,
    path: string,
    id: string,
    name: string,
    shape: S,
    by: NetworkCaller,
  ): Promise<z.output<S>> =>
    readOne((await ask(ctx, id, { method: "GET", path: `${path}/${id}`, ...by }, [200])).json, name, shape);
  const list = <S extends z.ZodType>(
    ctx: Ctx,
    path: string,
    name: string,
    shape: S,
    query: NonNullable<HttpRequest["query"]>,
    by: NetworkCaller,
  ): Promise<z.output<S>[]> =>
    listingPages(
      query,
      async (page) => (await ask(ctx, name, { method: "GET", path, query: page, ...by }, [200])).json,
      name,
      shape,
    );

  return {
    getNetwork: async (ctx, id, by = {}) =>
      get(
        ctx,
        "/v2.0/networks",
        checked(id, () => NeutronErrors.NETWORK_NOT_FOUND({ id })),
        "network",
        shapes.network,
        by,
      ),
    listNetworks: (ctx, query = {}, by = {}) =>
      list(
        ctx,
        "/v2.0/networks",
        "networks",
        shapes.network,
        {
          id: query.ids,
          name: query.name,
          tenant_id: query.projectId,
          shared: flag(query.shared),
          "router:external": flag(query.external),
        },
        by,
      ),
    listSubnets: (ctx, query = {}, by = {}) =>
      list(
        ctx,
        "/v2.0/subnets",
        "subnets",
        shapes.subnet,
        {
          id: query.ids,
          network_id: query.networkIds,
          advanced_service_providers: query.advancedServiceProviders,
        },
        by,
      ),
    getPort: async (ctx, id, by = {}) =>
      get(
        ctx,
        "/v2.0/ports",
        checked(id, () => NeutronErrors.PORT_NOT_FOUND({ id })),
        "port",
        shapes.port,
        by,
      ),
    listPorts: (ctx, query = {}, by = {}) =>
      list(ctx, "/v2.0/ports", "ports", shapes.port, portQuery(query), by),
    createPort: async (ctx, port, by = {}) =>
      bound(
        readOne(
          (
            await ask(
              ctx,
              port.networkId,
              { method: "POST", path: "/v2.0/ports", json: createPortJson(port), ...by },
              [201],
            )
          ).json,
          "port",
          shapes.port,
        ),
      ),
    updatePort: async (ctx, id, change, by = {}) =>
      bound(
        readOne(
          (
            await ask(
              ctx,
              id,
              {
                method: "PUT",
                path: `/v2.0/ports/${checked(id, () => NeutronErrors.PORT_NOT_FOUND({ id }))}`,
                json: updatePortJson(change),
                ...by,
              },
              [200],
            )
          ).json,
          "port",
          shapes.port,
        ),
      ),
    deletePort: async (ctx, id, by = {}) => {
      if (isCanonicalUuid(id))
        await ask(ctx, id, { method: "DELETE", path: `/v2.0/ports/${id}`, ...by }, [204, 404]);
    },
    ...bindings(ask),
    listSecurityGroups: (ctx, query = {}, by = {}) =>
      list(
        ctx,
        "/v2.0/security-groups",
        "security_groups",
        shapes.securityGroup,
        {
          id: query.ids,
          name: query.name,
          tenant_id: query.projectId,
        },
        by,
      ),
    getSecurityGroup: async (ctx, id, by = {}) =>
      get(
        ctx,
        "/v2.0/security-groups",
        checked(id, () => NeutronErrors.SECURITY_GROUP_NOT_FOUND({ id })),
        "security_group",
        shapes.securityGroup,
        by,
      ),
    listFloatingIps: (ctx, query, by = {}) =>
      list(
        ctx,
        "/v2.0/floatingips",
        "floatingips",
        shapes.floatingIp,
        { port_id: query.portIds, tenant_id: query.projectId, floating_ip_address: query.address },
        by,
      ),
    updateFloatingIp: async (ctx, id, to) =>
      readOne(
        (
          await ask(
            ctx,
            id,
            {
              method: "PUT",
              path: `/v2.0/floatingips/${checked(id, () => NeutronErrors.FLOATING_IP_NOT_FOUND({ id }))}`,
              json: {
                floatingip:
                  to === undefined
                    ? { port_id: null }
                    : { port_id: to.portId, fixed_ip_address: to.fixedIpAddress },
              },
            },
            [200],
          )
        ).json,
        "floatingip",
        shapes.floatingIp,
      ),
    extensions: cachedExtensions(
      (ctx) => list(ctx, "/v2.0/extensions", "extensions", shapes.extension, {}, {}),
      clock,
    ),
    quota: async (ctx, projectId) => {
      const answer = await ask(
        ctx,
        projectId,
        { method: "GET", path: `/v2.0/quotas/${encodeURIComponent(projectId)}` },
        [200],
      );
      const {
        port,
        network,
        floatingip: floatingIp,
        security_group: securityGroup,
        security_group_rule: securityGroupRule,
      } = readOne(answer.json, "quota", shapes.quota);
      return { port, network, floatingIp, securityGroup, securityGroupRule };
    },
    awaitChange: async (ctx, since, waitMs) =>
      readOne(
        (
          await ask(
            ctx,
            "changes",
            {
              method: "GET",
              path: "/v2.0/kilonova-changes",
              query: { since, wait_ms: String(waitMs) },
              timeoutMs: waitMs + ANSWER_MS,
            },
            [200],
          )
        ).json,
        "changes",
        shapes.changes,
      ).mark,
  };
}

const flag = (value: boolean | undefined): string | undefined =>
  value === undefined ? undefined : value ? "True" : "False";

function portQuery(query: PortQuery): NonNullable<HttpRequest["query"]> {
  const fixedIps = [
    ...(query.subnetId === undefined ? [] : [`subnet_id=${query.subnetId}`]),
    ...(query.ipAddress === undefined ? [] : [`ip_address=${query.ipAddress}`]),
  ];
  return {
    id: query.ids,
    name: query.name,
    device_id: query.deviceIds,
    device_owner: query.deviceOwner,
    network_id: query.networkIds ?? query.networkId,
    tenant_id: query.projectId,
    "binding:host_id": query.hostId,
    mac_address: query.macAddress,
    fixed_ips: fixedIps.length === 0 ? undefined : fixedIps,
  };
}

/** Neutron stores a binding that failed and answers with success. @throws PORT_BINDING_FAILED */
function bound(port: PortInfo): PortInfo {
  if (port.vifType === "binding_failed") throw NeutronErrors.PORT_BINDING_FAILED({ id: port.id });
  return port;
}

/** Ids come from users' requests. What is no UUID names nothing, and must not change the path. */
function checked(id: string, missing: () => Error): string {
  if (!isCanonicalUuid(id)) throw missing();
  return id;
}

function bindings(
  ask: Ask,
): Pick<Neutron, "listPortBindings" | "createPortBinding" | "activatePortBinding" | "deletePortBinding"> {
  const path = (id: string, host?: string): string =>
    `/v2.0/ports/${checked(id, () => NeutronErrors.PORT_NOT_FOUND({ id }))}/bindings${host === undefined ? "" : `/${encodeURIComponent(host)}`}`;
  return {
    listPortBindings: async (ctx, id) =>
      readOne(
        (await ask(ctx, id, { method: "GET", path: path(id) }, [200])).json,
        "bindings",
        shapes.binding.array(),
      ),
    createPortBinding: async (ctx, id, wish) => {
      const json = {
        binding: {
          host: wish.host,
          ...(wish.vnicType === undefined ? {} : { vnic_type: wish.vnicType }),
          ...(wish.profile ? { profile: wish.profile } : {}),
        },
      };
      const made = readOne(
        (await ask(ctx, id, { method: "POST", path: path(id), json }, [201])).json,
        "binding",
        shapes.binding,
      );
      if (made.vifType === "binding_failed") throw NeutronErrors.PORT_BINDING_FAILED({ id });
      return made;
    },
    activatePortBinding: async (ctx, id, host) => {
      await ask(ctx, id, { method: "PUT", path: `${path(id, host)}/activate` }, [200]);
    },
    deletePortBinding: async (ctx, id, host) => {
      await ask(ctx, id, { method: "DELETE", path: path(id, host) }, [204, 404]);
    },
  };
}

/** Extensions change with upgrades only; asked once per ten minutes. */
function cachedExtensions(
  load: (ctx: Ctx) => Promise<readonly { alias: string }[]>,
  clock: Clock,
): Neutron["extensions"] {
  let known: { readonly aliases: ReadonlySet<string>; readonly untilMs: number } | undefined;
  return async (ctx) => {
    if (known && known.untilMs > clock.monotonicMs()) return known.aliases;
    const aliases = new Set((await load(ctx)).map((extension) => extension.alias));
    known = { aliases, untilMs: clock.monotonicMs() + EXTENSIONS_MS };
    return aliases;
  };
}

async function asNetworkFailure<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "UNAVAILABLE")
      throw NeutronErrors.NETWORK_UNAVAILABLE({}, { cause: error });
    throw error;
  }
}
