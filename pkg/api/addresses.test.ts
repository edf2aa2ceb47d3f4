import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { AcceptServersRequest } from "../../gen/kilonova/cells/v1/global_service.js";
import { ComputeNode } from "../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  AcceptOperationRequest,
  UpdateInstanceRequest,
} from "../../gen/kilonova/cells/v1/instances_service.js";
import { AttachInterfaceInput, RebuildInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { InterfacesServiceDefinition } from "../../gen/kilonova/api/v1/interfaces_service.js";
import { CreateServersRequest, ServersServiceDefinition } from "../../gen/kilonova/api/v1/servers_service.js";
import { Server } from "../../gen/kilonova/api/v1/server.js";
import { NovaAddressesServiceDefinition } from "../../gen/kilonova/compat/v1/nova_addresses_service.js";
import type { FloatingIpInfo } from "../clients/neutron/ports.js";
import type { TestApi } from "./testing/an-api.js";
import { aFlavor, aNetwork, aPort, aReadyApi, anImage, as, member } from "./testing/an-api.js";

const contract = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url))),
);
const V6 = "0000:0000:0000:0000:0000:babe:220.12.22.2";
const CANONICAL = "::babe:dc0c:1602";
const A = "00000000-0000-4000-8000-000000000001";

/** What `cells` is told for each address that a request may carry. */
const accepted: Readonly<Record<string, (api: TestApi) => Promise<unknown>>> = {
  "CreateServers access_ip_v4": async (api) => (await created(api, { accessIpV4: "192.0.2.1" })).accessIpV4,
  "CreateServers access_ip_v6": async (api) => (await created(api, { accessIpV6: V6 })).accessIpV6,
  "CreateServers networks.fixed_ip": async (api) =>
    (
      await created(api, {
        networks: [{ networkId: aNetwork().id, fixedIp: V6 }],
      })
    ).networks[0]?.fixedIp,
  "AttachInterface fixed_ip": async (api) => {
    const capabilities = ["attach-interface"];
    api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities })]);
    api.cells.put("cell1", { id: A, hostInfo: { host: "h1" } as never });
    await api.channel
      .client(InterfacesServiceDefinition)
      .attachInterface(as(member), { serverId: A, networkId: aNetwork().id, fixedIp: V6 });
    const { input } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
    return AttachInterfaceInput.decode(input).fixedIp;
  },
  "UpdateServer server.access_ip_v4": async (api) =>
    (await updated(api, { accessIpV4: "192.0.2.1" }, "access_ip_v4"))?.accessIpV4,
  "UpdateServer server.access_ip_v6": async (api) =>
    (await updated(api, { accessIpV6: V6 }, "access_ip_v6"))?.accessIpV6,
  "RebuildServer server.access_ip_v4": async (api) =>
    (await rebuilt(api, { accessIpV4: "192.0.2.1" }, "access_ip_v4"))?.accessIpV4,
  "RebuildServer server.access_ip_v6": async (api) =>
    (await rebuilt(api, { accessIpV6: V6 }, "access_ip_v6"))?.accessIpV6,
  "RemoveFixedIp address": async (api) => {
    await withPort(api).removeFixedIp(as(member), { serverId: A, address: V6 });
    const left = api.ports.get(PORT)?.fixedIps ?? assert.fail();
    return left.length === 0 ? CANONICAL : undefined;
  },
  "AddFloatingIp address": async (api) => {
    api.floatingIps.push({ ...FLOATING, floatingIpAddress: CANONICAL });
    await withPort(api).addFloatingIp(as(member), { serverId: A, address: V6, fixedAddress: CANONICAL });
    return api.floatingIps[0]?.portId === PORT ? api.floatingIps[0].floatingIpAddress : undefined;
  },
  "AddFloatingIp fixed_address": async (api) => {
    api.floatingIps.push(FLOATING);
    await withPort(api).addFloatingIp(as(member), { serverId: A, address: "192.0.2.9", fixedAddress: V6 });
    return api.floatingIps[0]?.fixedIpAddress;
  },
  "RemoveFloatingIp address": async (api) => {
    api.floatingIps.push({ ...FLOATING, floatingIpAddress: CANONICAL, portId: PORT });
    await withPort(api).removeFloatingIp(as(member), { serverId: A, address: V6 });
    return api.floatingIps[0]?.portId === undefined ? CANONICAL : undefined;
  },
};

const PORT = "aaaaaaaa-0000-4000-8000-000000000001";
const FLOATING: FloatingIpInfo = {
  id: "f1",
  projectId: "p1",
  floatingIpAddress: "192.0.2.9",
  fixedIpAddress: undefined,
  portId: undefined,
  status: "DOWN",
};

/** A server whose only port has an IPv6 address. @returns the ways to change it */
function withPort(api: TestApi) {
  api.cells.put("cell1", { id: A });
  const fixedIps = [{ subnetId: "s1", ipAddress: CANONICAL }];
  api.ports.set(PORT, aPort({ id: PORT, deviceId: A, fixedIps }));
  return api.channel.client(NovaAddressesServiceDefinition);
}

async function created(api: TestApi, init: Partial<CreateServersRequest>) {
  const request = CreateServersRequest.fromPartial({
    name: "vm",
    flavorId: "1",
    imageId: anImage().id,
    ...init,
  });
  await api.channel.client(ServersServiceDefinition).createServers(as(member), request);
  const { servers } = api.cells.requests.get("acceptServers") as AcceptServersRequest;
  const { spec, server } = servers[0] ?? assert.fail();
  assert.deepEqual([spec?.accessIpV4, spec?.accessIpV6], [server?.accessIpV4, server?.accessIpV6]);
  return spec ?? assert.fail();
}

async function updated(api: TestApi, server: Partial<Server>, path: string) {
  api.cells.put("cell1", { id: A });
  await api.channel
    .client(ServersServiceDefinition)
    .updateServer(as(member), { serverId: A, server: Server.fromPartial(server), updateMask: [path] });
  return (api.cells.requests.get("updateInstance") as UpdateInstanceRequest).server;
}

async function rebuilt(api: TestApi, server: Partial<Server>, path: string) {
  const imageId = anImage().id;
  const node = ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["rebuild"] });
  api.cells.setNodes("cell1", [node]);
  api.cells.put("cell1", {
    id: A,
    flavor: aFlavor(),
    image: { id: imageId, properties: new Map() },
    hostInfo: { host: "h1" },
    launchedAt: { seconds: 1n, nanos: 0 },
  });
  await api.channel.client(ServersServiceDefinition).rebuildServer(as(member), {
    serverId: A,
    imageId,
    server: Server.fromPartial(server),
    updateMask: [path],
  });
  const { input } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
  return RebuildInput.decode(input).server;
}

/** The ways to the fields of a message that hold an address, by their names. */
function addressFields(message: DescMessage, seen: readonly DescMessage[] = []): DescField[][] {
  if (seen.includes(message)) return [];
  return message.fields.flatMap((field) => {
    if (/(^|_)(ip|address)(_|$)/.test(field.name) && field.message === undefined) return [[field]];
    return field.message === undefined
      ? []
      : addressFields(field.message, [...seen, message]).map((rest) => [field, ...rest]);
  });
}

/** Not addresses, or given in a message of which a request takes other fields only. */
const others = (path: string): boolean =>
  // Patterns, which Nova does not touch either.
  /\bfilter\./.test(path) ||
  // Hints are kept as they are written, as in Nova.
  /\bscheduler_hints\./.test(path) ||
  // Of a server that is updated or rebuilt only what the mask may name counts.
  /^(Update|Rebuild)Server server\.(host_info|addresses)/.test(path);

describe("addresses in requests", () => {
  const found = aReadyApi().service.bindings.flatMap(({ methods }) =>
    methods
      .filter(({ served }) => served)
      .flatMap(({ service, method }) => {
        const input = contract.getService(service)?.methods.find(({ name }) => name === method)?.input;
        return addressFields(input ?? assert.fail(method))
          .map((path) => `${method} ${path.map(({ name }) => name).join(".")}`)
          .filter((path) => !others(path));
      }),
  );

  for (const path of new Set(found.map((one) => one.replace(/^WhatIf request\./, "CreateServers "))))
    it(`${path} is stored in its canonical form`, async () => {
      const store = accepted[path] ?? assert.fail(`no case for ${path}`);
      const stored = await store(aReadyApi());
      assert.equal(stored, path.endsWith("v4") ? "192.0.2.1" : CANONICAL);
    });

  it("are found in the contract", () =>
    assert.deepEqual(
      Object.keys(accepted).filter((path) => !found.includes(path)),
      [],
    ));

  it("are looked for in the canonical form when the network is asked who has them", async () => {
    const api = aReadyApi();
    api.ports.set("p", {
      ...api.ports.get("p"),
      networkId: aNetwork().id,
      fixedIps: [{ subnetId: "s", ipAddress: CANONICAL }],
    } as never);
    await assert.rejects(created(api, { networks: [{ networkId: aNetwork().id, fixedIp: V6 }] }), {
      reason: "FIXED_IP_IN_USE",
    });
  });

  it("have no zone", async () => {
    const api = aReadyApi();
    for (const bad of ["fe80::1%eth0", "192.0.2.1", "::1/64"])
      await assert.rejects(created(api, { accessIpV6: bad }), { reason: "INVALID_REQUEST" });
  });
});
