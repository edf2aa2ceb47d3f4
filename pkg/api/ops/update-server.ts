import type {
  UpdateServerRequest,
  UpdateServerResponse,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { ServerFault } from "../../../gen/kilonova/type/v1/server.js";
import { DiskConfig, HostStatus, PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Server } from "../../../gen/kilonova/api/v1/server.js";
import { canonicalIpOr } from "../../model/ip-address.js";
import type { UserPath } from "../../model/user-change.js";
import { USER_PATHS } from "../../model/user-change.js";
import type { LoadedServer } from "../cells/servers.js";
import { ApiErrors } from "../errors.js";
import { description, id, ipv4, ipv6, optionalName, time } from "../shape/common.js";
import type { Rule, Shape } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { given, object, oneOf, optional, required, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { hiddenFields, maskOf, presentServers } from "../view/server-view.js";

const pathOf = (path: string): UserPath | undefined => USER_PATHS.find((one) => one === path);

const changeable: Rule<string[] | undefined> = (paths, path, report) => {
  if (paths === undefined || paths.length === 0) report(path, "is required");
  for (const one of paths ?? []) if (pathOf(one) === undefined) report(path, `"${one}" cannot be changed`);
};

/** What a server's fields must look like of which users give new values. */
export const newServerValues = {
  name: optionalName,
  description: optional(description),
  accessIpV4: given(ipv4),
  accessIpV6: given(ipv6),
  hostname: text({ pattern: /^[a-zA-Z0-9-._]*$/, hint: "must be a host name" }),
  pinnedAvailabilityZone: given(text()),
  vmState: oneOf(VmState),
  powerState: oneOf(PowerState),
  diskConfig: oneOf(DiskConfig),
  hostStatus: oneOf(HostStatus),
  createdAt: time,
  updatedAt: time,
  launchedAt: time,
  terminatedAt: time,
  deletedAt: time,
  flavor: optional(object<Flavor>({ createdAt: time, updatedAt: time })),
  fault: optional(object<ServerFault>({ createdAt: time })),
} satisfies Shape<Server>;
const newValues = required<Server>(newServerValues);

/** Changes what a user may change at once. A lock does not stop it, as in Nova. */
export const updateServer = (parts: Parts): Guarded<UpdateServerRequest, UpdateServerResponse> =>
  guarded(
    { serverId: id, server: newValues, updateMask: changeable },
    parts.servers.about(),
    async (ctx, request, loaded) => {
      const asked = request.server as Server;
      const paths = [...new Set((request.updateMask ?? []).flatMap((path) => pathOf(path) ?? []))];
      if (paths.includes("name")) requireName(asked.name);
      if (paths.includes("pinned_availability_zone"))
        await requirePinnable(parts, ctx, loaded, asked.pinnedAvailabilityZone ?? "");
      const updated = await parts.servers.at(ctx, request.serverId, async (inner, database, serverId) => {
        const { instance } = await parts.instances.updateInstance(inner, {
          database,
          projectId: parts.servers.scope(ctx),
          server: {
            id: serverId,
            name: asked.name,
            hostname: asked.hostname,
            description: asked.description ?? "",
            hasDescription: asked.description !== undefined,
            accessIpV4: canonicalIpOr(asked.accessIpV4 ?? ""),
            accessIpV6: canonicalIpOr(asked.accessIpV6 ?? ""),
            diskConfig: asked.diskConfig,
            pinnedAvailabilityZone: asked.pinnedAvailabilityZone ?? "",
          },
          updateMask: paths,
          expectedGeneration: request.expectedGeneration,
        });
        return { server: instance?.server ?? loaded.server, database };
      });
      const mask = maskOf(ctx, { hostInfo: true, userData: true });
      const [server] = await presentServers(ctx, parts.directory, mask, [updated]);
      return { server, hiddenFields: hiddenFields(mask) };
    },
  );

/**
 * A server can be unpinned, and pinned to the zone where it is; never from one zone to another at once.
 * @throws PIN_CONFLICT
 */
async function requirePinnable(
  parts: Parts,
  ctx: Call,
  { server, database }: LoadedServer,
  zone: string,
): Promise<void> {
  if (zone === "" || zone === server.pinnedAvailabilityZone) return;
  if (server.pinnedAvailabilityZone !== "")
    throw ApiErrors.PIN_CONFLICT({ problem: "it is pinned to another one, unpin it first" });
  const mask = maskOf(ctx, { hostInfo: false, userData: false });
  const [shown] = await presentServers(ctx, parts.directory, mask, [{ server, database }]);
  if (shown?.availabilityZone !== zone)
    throw ApiErrors.PIN_CONFLICT({ problem: "a server can only be pinned to the zone that it is in" });
}

function requireName(name: string): void {
  if (name === "") throw ApiErrors.INVALID_REQUEST({ field: "server.name", problem: "must not be empty" });
}
