import type { FakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import type { ImageInfo } from "../../clients/glance/ports.js";
import { NeutronErrors } from "../../clients/neutron/errors.js";
import type {
  FixedIpRequest,
  FloatingIpInfo,
  NetworkInfo,
  PortInfo,
  SecurityGroupInfo,
} from "../../clients/neutron/ports.js";
import {
  Explanation,
  SchedulerServiceDefinition,
} from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { ExplainRequest } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { Actor, Clock, Ctx } from "../../kernel/index.js";
import { anonymous, defineErrors, silentLogger } from "../../kernel/index.js";
import { catalogue } from "../../model/operation-catalogue.js";
import type { OperationCatalogue } from "../../model/operation-catalogue.js";
import type { Policy } from "../../policy/index.js";
import { createPolicy, parseOverrides } from "../../policy/index.js";
import { systemClock } from "../../platform/process/clock.js";
import type { Channel, ServiceBinding } from "../../platform/rpc/index.js";
import { LocalNetwork, bindPart } from "../../platform/rpc/index.js";
import { Metrics, noTracer } from "../../platform/telemetry/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { CellsTwin } from "../../cells/testing/twin/twin.js";
import type { ApiConfig } from "../config.js";
import { apiConfigSchema } from "../config.js";
import { buildApi } from "../wire.js";
import type { ApiService } from "../wire.js";

const E = defineErrors("fake", { NOT_FOUND: ["missing", (p: { id: string }) => `no ${p.id}`] });

/** What stands around an api in its tests. */
export interface TestApi {
  /** Cells in memory; not asked when the case brings a cells service of its own. */
  readonly cells: CellsTwin;
  readonly network: LocalNetwork;
  readonly channel: Channel;
  /** As a user at the public port, whose token was good. */
  readonly userChannel: Channel;
  readonly service: ApiService;
  readonly images: Map<string, ImageInfo>;
  readonly networks: NetworkInfo[];
  readonly ports: Map<string, PortInfo>;
  readonly securityGroups: SecurityGroupInfo[];
  readonly floatingIps: FloatingIpInfo[];
  /** Ids of subnets that have no address left. */
  readonly fullSubnets: Set<string>;
  readonly cinder: FakeCinder;
  readonly projects: Set<string>;
  /** Limits of every project at the Network service. */
  readonly networkQuota: { port: number };
  /** What the scheduler was asked last, and what it says. */
  readonly scheduling: { request: ExplainRequest | undefined; explanation: Explanation };
}

export const member: Actor = {
  ...anonymous,
  kind: "user",
  userId: "u1",
  projectId: "p1",
  roles: ["member", "reader"],
};
export const stranger: Actor = { ...member, userId: "u2", projectId: "p2" };
export const administrator: Actor = {
  ...member,
  userId: "root",
  projectId: "adm",
  roles: ["admin", "manager", "member", "reader"],
};

export const as = (actor: Actor, init: Partial<Ctx> = {}): Ctx => testCtx({ actor, ...init });

/** What a case wants otherwise. */
export interface TestApiOptions {
  readonly config?: Partial<ApiConfig>;
  /** An operator's policy file, or a policy as it is. */
  readonly policy?: string | Policy;
  readonly clock?: Clock;
  /** Kinds of operations that cells accepts, if others than those of this build. */
  readonly operations?: OperationCatalogue;
  /** A real cells service instead of the twin. */
  readonly cellsBindings?: readonly ServiceBinding[];
}

/** An api over the twin of cells and fakes of the rest, reached as the gateway reaches it. */
export function anApi({
  config = {},
  policy = "",
  clock = systemClock,
  operations = catalogue,
  cellsBindings,
}: TestApiOptions = {}): TestApi {
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  const cells = new CellsTwin({ clock, operations });
  network.listen("cells", cellsBindings ?? cells.bindings);
  const images = new Map<string, ImageInfo>();
  const networks: NetworkInfo[] = [];
  const ports = new Map<string, PortInfo>();
  const securityGroups: SecurityGroupInfo[] = [];
  const floatingIps: FloatingIpInfo[] = [];
  const fullSubnets = new Set<string>();
  const cinder = fakeCinder();
  const projects = new Set<string>(["p1", "p2"]);
  const networkQuota = { port: -1, network: -1, floatingIp: -1, securityGroup: -1, securityGroupRule: -1 };
  const scheduling: TestApi["scheduling"] = { request: undefined, explanation: Explanation.fromPartial({}) };
  network.listen("scheduler", [
    bindPart(SchedulerServiceDefinition, {
      explain: async (_ctx, request) => {
        scheduling.request = request;
        return { explanation: scheduling.explanation };
      },
    }),
  ]);
  const service = buildApi({
    // Nobody makes images here.
    config: { ...apiConfigSchema.parse({}), imageWaitMs: 0, portsWaitMs: 0, ...config },
    policy: typeof policy === "string" ? createPolicy(parseOverrides(policy)) : policy,
    clock,
    ids: { uuid: () => crypto.randomUUID() },
    tokenKeys: [{ id: "test", key: Buffer.alloc(32, 3) }],
    cells: network.connect("cells", { service: "api", host: "" }),
    scheduler: network.connect("scheduler", { service: "api", host: "" }),
    agent: (address) => network.connect(address, { service: "api", host: "" }),
    glance: { getImage: async (_ctx, id) => found(images.get(id), id) },
    neutron: {
      listNetworks: async (_ctx, query = {}) =>
        networks.filter(
          (one) =>
            (query.ids === undefined || query.ids.includes(one.id)) &&
            (query.projectId === undefined || one.projectId === query.projectId) &&
            (query.shared === undefined || one.shared === query.shared),
        ),
      getPort: async (_ctx, id) => found(ports.get(id), id),
      listPorts: async (_ctx, query = {}) =>
        [...ports.values()].filter(
          (port) =>
            (query.ids === undefined || query.ids.includes(port.id)) &&
            (query.deviceIds === undefined || query.deviceIds.includes(port.deviceId)) &&
            (query.networkId === undefined || port.networkId === query.networkId) &&
            (query.projectId === undefined || port.projectId === query.projectId) &&
            (query.ipAddress === undefined || port.fixedIps.some((ip) => ip.ipAddress === query.ipAddress)),
        ),
      quota: async () => networkQuota,
      updatePort: async (_ctx, id, { securityGroupIds, fixedIps }) => {
        const port = found(ports.get(id), id);
        const changed = {
          ...port,
          securityGroupIds: securityGroupIds ?? port.securityGroupIds,
          fixedIps: fixedIps?.map((wish) => addressFor(wish, fullSubnets)) ?? port.fixedIps,
        };
        ports.set(id, changed);
        return changed;
      },
      listFloatingIps: async (_ctx, { address }) =>
        floatingIps.filter((one) => address === undefined || one.floatingIpAddress === address),
      updateFloatingIp: async (_ctx, id, to) => {
        const at = floatingIps.findIndex((one) => one.id === id);
        const before = found(floatingIps[at], id);
        if (to !== undefined && floatingIps.some((one) => one.id !== id && one.portId === to.portId))
          throw NeutronErrors.NETWORK_CONFLICT({ problem: "another one leads there" });
        const after = { ...before, portId: to?.portId, fixedIpAddress: to?.fixedIpAddress };
        floatingIps[at] = after;
        return after;
      },
      listSecurityGroups: async (_ctx, query = {}) =>
        securityGroups.filter(
          (group) =>
            (query.projectId === undefined || group.projectId === query.projectId) &&
            (query.ids === undefined || query.ids.includes(group.id)),
        ),
      getSecurityGroup: async (_ctx, id) =>
        found(
          securityGroups.find((group) => group.id === id),
          id,
        ),
    },
    cinder,
    keystone: { projectExists: async (_ctx, id) => projects.has(id) },
  });
  network.listen("api", service.bindings);
  return {
    cells,
    network,
    channel: network.connect("api", { service: "gateway", host: "" }),
    userChannel: network.connect("api", { service: "user", host: "" }),
    service,
    images,
    networks,
    ports,
    securityGroups,
    floatingIps,
    fullSubnets,
    cinder,
    projects,
    networkQuota,
    scheduling,
  };
}

/** An address that a subnet gives, which is the next one. @throws NO_MORE_FIXED_IPS */
function addressFor(
  { subnetId = "s1", ipAddress }: FixedIpRequest,
  full: ReadonlySet<string>,
): PortInfo["fixedIps"][number] {
  if (ipAddress === undefined && full.has(subnetId)) throw NeutronErrors.NO_MORE_FIXED_IPS({ id: subnetId });
  return { subnetId, ipAddress: ipAddress ?? `10.0.${subnetId.length}.77` };
}

function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw E.NOT_FOUND({ id });
  return value;
}

export const aFlavor = (init: Partial<Flavor> = {}): Flavor =>
  Flavor.fromPartial({
    id: "1",
    name: "m1.small",
    vcpus: 1,
    memoryMib: 512,
    rootGib: 1,
    rxtxFactor: 1,
    isPublic: true,
    ...init,
  });

export const anImage = (init: Partial<ImageInfo> = {}): ImageInfo => ({
  id: "70a599e0-31e7-49b7-b260-868f441e862b",
  name: "cirros",
  status: "active",
  visibility: "public",
  protected: false,
  owner: "adm",
  sizeBytes: 1000,
  virtualSizeBytes: undefined,
  minDiskGib: 0,
  minRamMib: 0,
  diskFormat: "qcow2",
  containerFormat: "bare",
  checksum: "c",
  hashAlgorithm: "sha512",
  hashValue: "h",
  hidden: false,
  tags: [],
  createdAt: 0n,
  updatedAt: 0n,
  properties: {},
  ...init,
});

export const aNetwork = (init: Partial<NetworkInfo> = {}): NetworkInfo => ({
  id: "11111111-1111-4111-8111-111111111111",
  name: "private",
  projectId: "p1",
  status: "ACTIVE",
  adminStateUp: true,
  shared: false,
  external: false,
  mtu: 1450,
  portSecurityEnabled: true,
  subnetIds: ["s1"],
  networkType: undefined,
  physicalNetwork: undefined,
  segmentationId: undefined,
  dnsDomain: "",
  tags: [],
  ...init,
});

export const aPort = (init: Partial<PortInfo> = {}): PortInfo => ({
  id: "22222222-2222-4222-8222-222222222222",
  name: "",
  networkId: aNetwork().id,
  projectId: "p1",
  macAddress: "fa:16:3e:00:00:01",
  adminStateUp: true,
  status: "DOWN",
  deviceId: "",
  deviceOwner: "",
  fixedIps: [{ subnetId: "s1", ipAddress: "10.0.0.9" }],
  securityGroupIds: [],
  allowedAddressPairs: [],
  portSecurityEnabled: true,
  vnicType: "normal",
  bindingHostId: "",
  vifType: "unbound",
  vifDetails: {},
  bindingProfile: {},
  dnsName: "",
  ipAllocation: "immediate",
  resourceRequest: undefined,
  tags: [],
  createdAt: undefined,
  ...init,
});

export const aSecurityGroup = (init: Partial<SecurityGroupInfo> = {}): SecurityGroupInfo => ({
  id: "33333333-3333-4333-8333-333333333333",
  name: "web",
  projectId: "p1",
  description: "",
  rules: [],
  ...init,
});

/** An api in which a plain create works. */
export function aReadyApi(options: TestApiOptions = {}): TestApi {
  const api = anApi(options);
  api.cells.flavors.set("1", aFlavor());
  api.images.set(anImage().id, anImage());
  api.networks.push(aNetwork());
  return api;
}
