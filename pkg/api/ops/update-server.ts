import type {
  UpdateServerRequest,
  UpdateServerResponse,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig, HostStatus, PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Server } from "../../../gen/kilonova/type/v1/server.js";
import { ownerOf } from "../cells/servers.js";
import { ApiErrors } from "../errors.js";
import { description, id, ipv4, ipv6, optionalName } from "../shape/common.js";
import type { Rule, Unary } from "../shape/shape.js";
import { checked, oneOf, required, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { hiddenFields, maskOf, presentServers } from "../view/server-view.js";

const CHANGEABLE = new Set([
  "name",
  "description",
  "has_description",
  "hostname",
  "access_ip_v4",
  "access_ip_v6",
  "disk_config",
]);

const changeable: Rule<string[] | undefined> = (paths, path, report) => {
  if (paths === undefined || paths.length === 0) report(path, "is required");
  for (const one of paths ?? []) if (!CHANGEABLE.has(one)) report(path, `"${one}" cannot be changed`);
};

const newValues = required<Server>({
  name: optionalName,
  description,
  accessIpV4: ipv4,
  accessIpV6: ipv6,
  hostname: text({ pattern: /^[a-zA-Z0-9-._]*$/, hint: "must be a host name" }),
  vmState: oneOf(VmState),
  powerState: oneOf(PowerState),
  diskConfig: oneOf(DiskConfig),
  hostStatus: oneOf(HostStatus),
});

/** Changes what a user may change at once. A lock does not stop it, as in Nova. */
export const updateServer = (parts: Parts): Unary<UpdateServerRequest, UpdateServerResponse> =>
  checked<UpdateServerRequest, UpdateServerResponse>(
    { serverId: id, server: newValues, updateMask: changeable },
    async (ctx, request) => {
      const { server: before } = await parts.servers.load(ctx, request.serverId);
      parts.policy.enforce(ctx.actor, "os_compute_api:servers:update", ownerOf(before));
      const asked = request.server as Server;
      const paths = request.updateMask ?? [];
      if (paths.includes("name")) requireName(asked.name);
      const updated = await parts.servers.at(ctx, request.serverId, async (inner, database, serverId) => {
        const { instance } = await parts.instances.updateInstance(inner, {
          database,
          projectId: parts.servers.scope(ctx),
          server: {
            ...asked,
            id: serverId,
            hasDescription: asked.hasDescription || asked.description !== "",
          },
          updateMask: paths.includes("description") ? [...new Set([...paths, "has_description"])] : paths,
          expectedGeneration: request.expectedGeneration,
        });
        return { server: instance?.server ?? before, database };
      });
      const mask = maskOf(ctx, parts.policy, { hostInfo: true, userData: true });
      const [server] = await presentServers(ctx, parts.directory, mask, [updated]);
      return { server, hiddenFields: hiddenFields(mask) };
    },
  );

function requireName(name: string): void {
  if (name === "") throw ApiErrors.INVALID_REQUEST({ field: "server.name", problem: "must not be empty" });
}
