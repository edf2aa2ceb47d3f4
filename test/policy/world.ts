import { OperationCatalogue, catalogue } from "../../pkg/model/operation-catalogue.js";
import { Aggregate } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { InstanceAction } from "../../gen/kilonova/api/v1/limits_service.js";
import { ServerGroup, ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ConsoleToken } from "../../gen/kilonova/cells/v1/console_tokens_service.js";
import { ComputeNode, HostService } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { MigrationKind, MigrationRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { InstancePort } from "../../gen/kilonova/cells/v1/instance_change.js";
import { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import {
  AgentServiceDefinition,
  GetGuestDiagnosticsResponse,
} from "../../gen/kilonova/compute/v1/agent_service.js";
import { KeyPair } from "../../gen/kilonova/type/v1/key_pair.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { PowerState, ServerHostInfo, VmState } from "../../gen/kilonova/type/v1/server.js";
import type { NumaNode } from "../../gen/kilonova/type/v1/server.js";
import { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";
import { tokenHash } from "../../pkg/api/ops/create-remote-console.js";
import { aFlavor, aNetwork, aPort, anApi, anImage } from "../../pkg/api/testing/an-api.js";
import type { TestApi } from "../../pkg/api/testing/an-api.js";
import { GLOBAL } from "../../pkg/model/database-names.js";
import { subjectOf } from "../../pkg/model/operation-declaration.js";
import { CLOUD, operationNameOf } from "../../pkg/model/operation-name.js";
import type { Subject } from "../../pkg/model/operation-name.js";
import type { OperationDeclaration } from "../../pkg/model/operation-declaration.js";
import type { Policy, RuleName } from "../../pkg/policy/index.js";
import { createPolicy } from "../../pkg/policy/index.js";
import { bindPart } from "../../pkg/platform/rpc/index.js";

export const SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170";
export const AGGREGATE = "11111111-aaaa-4111-8111-111111111111";
export const EMPTY_AGGREGATE = "22222222-aaaa-4222-8222-222222222222";
export const GROUP = "33333333-aaaa-4333-8333-333333333333";
export const SERVICE = "44444444-aaaa-4444-8444-444444444444";
export const HYPERVISOR = "55555555-aaaa-4555-8555-555555555555";
export const EXTERNAL = "66666666-aaaa-4666-8666-666666666666";
export const REQUEST = "req-77777777-aaaa-4777-8777-777777777777";
/** A token of a console of the server. */
export const CONSOLE_TOKEN = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
/** Another server of p1, which an administrator has locked. */
export const LOCKED = "5eeeeeee-0000-4000-8000-000000000002";
const NODE: NumaNode = {
  memoryMib: 512n,
  vcpus: [0],
  siblings: [],
  hostNode: 1,
  cpuPinning: new Map([[0, 2]]),
};
/** A third one, whose flavor has no disk. */
export const DISKLESS = "5eeeeeee-0000-4000-8000-000000000003";
/** One of p1 on no host, so that none that is silent is in the way. */
export const HOSTLESS = "5eeeeeee-0000-4000-8000-000000000005";
/** One of p1 without an image. */
export const IMAGELESS = "5eeeeeee-0000-4000-8000-000000000004";
/** One of p1 on a host that is up, where a move has brought it; its flavor has no disk. */
export const MOVED = "5eeeeeee-0000-4000-8000-000000000006";
/** One of p1 that was shelved, and has left its host. */
export const OFFLOADED = "5eeeeeee-0000-4000-8000-000000000007";
/** A port of the server of p1, and one that is free. */
export const PORT = "77777777-bbbb-4777-8777-777777777777";
export const FREE_PORT = "88888888-bbbb-4888-8888-888888888888";
/** A volume of the server of p1, and one that is free. */
export const VOLUME = "99999999-bbbb-4999-8999-999999999999";
export const FREE_VOLUME = "aaaaaaaa-bbbb-4aaa-8aaa-aaaaaaaaaaaa";
/** Another volume of it, which the Block Storage service migrates. */
export const MIGRATING = "70a599e0-31e7-49b7-b260-868f441e86b3";
/** A security group of p1, on the first port. */
export const SECURITY_GROUP = "99999999-bbbb-4999-8999-999999999999";
/** Of p1, leading to the first port. */
export const FLOATING_IP = "192.0.2.9";
export const MIGRATION = "99999999-aaaa-4999-8999-999999999999";
export const KINDS: readonly string[] = catalogue.all.map(({ kind }) => kind);
const subjectIn = (kind: string): Subject => {
  const declaration = catalogue.find(kind);
  switch (declaration === undefined ? "server" : subjectOf(declaration)) {
    case "server":
      return { kind: "server", id: SERVER };
    case "host":
      return { kind: "host", id: HYPERVISOR };
    case "cloud":
      return CLOUD;
  }
};
export const operationOf = (kind: string): string =>
  operationNameOf(
    subjectIn(kind),
    `${(0x8888_8000 + KINDS.indexOf(kind)).toString(16)}-aaaa-4888-8888-888888888888`,
  );
/** Whether it is about the server of p1. */
export const isOnServer = (kind: string): boolean => subjectIn(kind).kind === "server";

export const aServer = (init: Partial<Server> & { readonly id: string }): Server =>
  Server.fromPartial({
    name: "vm",
    projectId: "p1",
    userId: "u1",
    generation: 1n,
    vmState: VmState.VM_STATE_ACTIVE,
    image: { id: anImage().id, properties: new Map() },
    flavor: aFlavor({ extraSpecs: new Map([["hw:cpu_policy", "shared"]]) }),
    metadata: new Map([["k", "v"]]),
    tags: ["t"],
    userData: "dXNlcg==",
    addresses: [{ networkLabel: "private", version: 4, address: "10.0.0.9", type: "fixed" }],
    // Its host is silent: its state is unknown, which is a right of its own to see.
    hostInfo: { host: "silent", node: "silent", instanceName: "i-1", cell: "cell1" },
    createdAt: { seconds: 1_762_000_000n, nanos: 0 },
    launchedAt: { seconds: 1_762_000_009n, nanos: 0 },
    ...init,
  });

/** A kind that begins in every state on every host: what is tried here is asked before that is judged. */
function alwaysFit(declaration: OperationDeclaration): OperationDeclaration {
  const forms = Object.entries(declaration.forms).map(
    ([name, { taskState, contention, lock }]) => [name, { taskState, contention, lock }] as const,
  );
  const fit: { -readonly [K in keyof OperationDeclaration]: OperationDeclaration[K] } = { ...declaration };
  fit.forms = Object.fromEntries(forms);
  delete fit.capability;
  return fit;
}

/** An api in which every served call can succeed, under a policy that can be changed between calls. */
export class World {
  readonly api: TestApi;
  #policy: Policy = createPolicy();
  readonly #made = new Map<string, Policy>();
  /** For the gateway in front of it. */
  readonly policy: Policy = {
    allows: (...question) => this.#policy.allows(...question),
    enforce: (...question) => this.#policy.enforce(...question),
    checkOf: (rule) => this.#policy.checkOf(rule),
  };

  constructor() {
    this.api = anApi({
      policy: this.policy,
      config: {
        hostListTtlMs: 0,
        novncBaseUrl: "http://console.example.com/vnc_auto.html",
        serialBaseUrl: "ws://console.example.com/",
      },
      operations: new OperationCatalogue(catalogue.all.map(alwaysFit)),
    });
    this.api.network.listen("agent", [
      bindPart(AgentServiceDefinition, {
        getConsoleLog: async () => ({ output: Buffer.from("login:\n") }),
        getGuestDiagnostics: async () =>
          GetGuestDiagnosticsResponse.fromPartial({
            powerState: PowerState.POWER_STATE_RUNNING,
            diagnostics: {},
          }),
        getConsole: async () => ({ offered: true, run: "r1" }),
      }),
    ]);
    this.api.images.set(anImage().id, anImage());
    this.api.networks.push(
      aNetwork({ shared: true }),
      aNetwork({ id: EXTERNAL, projectId: "x", external: true }),
    );
    this.reset();
  }

  /** Puts everything back that a call may have changed. */
  reset(overrides: Readonly<Partial<Record<RuleName, string>>> = {}): void {
    this.#policy = this.#policyOf(overrides);
    const { cells, ports, securityGroups, floatingIps } = this.api;
    cells.clear();
    cells.put("cell1", aServer({ id: SERVER, numaTopology: { nodes: [NODE], pageSizeKib: 4n } }), {
      ports: [InstancePort.fromPartial({ portId: PORT })],
    });
    cells.putDevices("cell1", SERVER, [
      { id: "b1", volumeId: VOLUME, attachmentId: "a1", deviceName: "/dev/vdb" },
      { id: "b3", volumeId: MIGRATING, attachmentId: "a3", deviceName: "/dev/vdc" },
    ]);
    cells.putDevices("cell1", HOSTLESS, [{ id: "b2", volumeId: VOLUME, attachmentId: "a2" }]);
    this.api.cinder.addVolume({ id: VOLUME, projectId: "p1", status: "in-use" });
    this.api.cinder.addVolume({ id: FREE_VOLUME, projectId: "p1" });
    const use = { attachmentId: "a3", serverId: SERVER, device: "/dev/vdc", hostName: "h1" };
    this.api.cinder.addVolume({
      id: MIGRATING,
      projectId: "p1",
      status: "in-use",
      migrationStatus: "migrating",
      attachments: [use],
    });
    ports.clear();
    ports.set(PORT, aPort({ id: PORT, deviceId: SERVER, securityGroupIds: [SECURITY_GROUP] }));
    ports.set(FREE_PORT, aPort({ id: FREE_PORT }));
    // Each caller finds one of his own.
    const projects = ["p1", "p2", "p3", "adm", "x", ""];
    const groups = projects.map((projectId) => ({ name: "web", description: "", rules: [], projectId }));
    securityGroups.splice(
      0,
      Infinity,
      ...groups.map((one, i) => ({ ...one, id: i === 0 ? SECURITY_GROUP : `g${i}` })),
    );
    floatingIps.splice(0, Infinity, {
      id: "f1",
      projectId: "p1",
      floatingIpAddress: FLOATING_IP,
      fixedIpAddress: "10.0.0.9",
      portId: PORT,
      status: "ACTIVE",
    });
    cells.put("cell1", { ...aServer({ id: IMAGELESS }), image: undefined });
    cells.put("cell1", { ...aServer({ id: HOSTLESS }), hostInfo: undefined });
    cells.put("cell1", {
      ...aServer({ id: OFFLOADED, vmState: VmState.VM_STATE_SHELVED_OFFLOADED }),
      hostInfo: undefined,
    });
    cells.put("cell1", aServer({ id: LOCKED, lock: { lockedBy: "admin", reason: "" } }));
    cells.put("cell1", aServer({ id: DISKLESS, flavor: aFlavor({ id: "zero", rootGib: 0 }) }));
    cells.put(
      "cell1",
      aServer({
        id: MOVED,
        flavor: aFlavor({ id: "zero", rootGib: 0 }),
        hostInfo: ServerHostInfo.fromPartial({ host: "h2", node: "h2.example", cell: "cell1" }),
      }),
      { spec: ServerSpec.fromPartial({ image: { id: anImage().id } }) },
    );
    cells.putMigration(
      "cell1",
      MigrationRecord.fromPartial({
        id: "99999999-aaaa-4999-8999-99999999999a",
        serverId: MOVED,
        kind: MigrationKind.MIGRATION_KIND_RESIZE,
        status: "finished",
        source: { host: "h2", node: "h2" },
        target: { host: "h2", node: "h2" },
        oldFlavor: aFlavor({ id: "zero", rootGib: 0 }),
      }),
    );
    cells.putAction(
      "cell1",
      InstanceAction.fromPartial({
        requestId: REQUEST,
        action: "create",
        serverId: SERVER,
        events: [{ event: "build", host: "h1", traceback: "at line 1", details: "why" }],
      }),
    );
    cells.putMigration(
      "cell1",
      MigrationRecord.fromPartial({
        id: MIGRATION,
        serverId: SERVER,
        kind: MigrationKind.MIGRATION_KIND_LIVE_MIGRATION,
        status: "running",
        // Not at h1, whose service is deleted here.
        source: { host: "silent", node: "silent" },
        target: { host: "h2" },
      }),
    );
    for (const kind of KINDS) {
      const name = operationOf(kind);
      const state = OperationState.OPERATION_STATE_RUNNING;
      cells.putOperation(
        subjectIn(kind).kind === "cloud" ? GLOBAL : "cell1",
        StoredOperation.fromPartial({
          name,
          kind,
          serverId: isOnServer(kind) ? SERVER : "",
          projectId: isOnServer(kind) ? "p1" : "",
          state,
        }),
      );
    }
    cells.consoleTokens.set(
      tokenHash(CONSOLE_TOKEN).toString("hex"),
      ConsoleToken.fromPartial({
        serverId: SERVER,
        type: "novnc",
        host: "silent",
        database: "cell1",
        expiresAt: { seconds: 4_000_000_000n },
      }),
    );
    this.#catalogue();
    this.#hosts();
  }

  #policyOf(overrides: Readonly<Partial<Record<RuleName, string>>>): Policy {
    const key = JSON.stringify(overrides);
    const known = this.#made.get(key) ?? createPolicy(overrides);
    this.#made.set(key, known);
    return known;
  }

  #catalogue(): void {
    const { cells } = this.api;
    const { flavors, keyPairs } = cells;
    flavors.set("1", aFlavor({ extraSpecs: new Map([["hw:cpu_policy", "shared"]]) }));
    flavors.set("private", aFlavor({ id: "private", name: "own", isPublic: false, projectIds: ["p1"] }));
    flavors.set("zero", aFlavor({ id: "zero", name: "zero", rootGib: 0, extraSpecs: new Map([["a", "b"]]) }));
    flavors.set("none", aFlavor({ id: "none", name: "none", rootGib: 0, vcpus: 2 }));
    keyPairs.splice(0, Infinity, KeyPair.fromPartial({ name: "k", userId: "u1", publicKey: "ssh-rsa AAAA" }));
    cells.putGroup(
      ServerGroup.fromPartial({
        id: GROUP,
        name: "g",
        policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY,
        projectId: "p1",
        userId: "u1",
      }),
    );
  }

  #hosts(): void {
    const { cells } = this.api;
    const { aggregates } = cells;
    aggregates.set(AGGREGATE, Aggregate.fromPartial({ id: AGGREGATE, number: 1n, name: "a", hosts: ["h1"] }));
    aggregates.set(EMPTY_AGGREGATE, Aggregate.fromPartial({ id: EMPTY_AGGREGATE, number: 2n, name: "b" }));
    cells.setServices("cell1", [
      HostService.fromPartial({
        id: SERVICE,
        number: 1n,
        host: "h1",
        binary: "nova-compute",
        availabilityZone: "nova",
        address: "agent",
        up: true,
      }),
      HostService.fromPartial({
        id: "5e55e55e-0000-4000-8000-000000000002",
        number: 2n,
        host: "silent",
        binary: "nova-compute",
        availabilityZone: "nova",
        address: "agent",
        up: false,
      }),
      // Has a server, and so cannot be deleted.
      HostService.fromPartial({
        id: "5e55e55e-0000-4000-8000-000000000003",
        number: 3n,
        host: "h2",
        binary: "nova-compute",
        availabilityZone: "nova",
        address: "agent",
        up: true,
      }),
    ]);
    cells.setNodes("cell1", [
      ComputeNode.fromPartial({
        id: HYPERVISOR,
        number: 1n,
        host: "h1",
        hypervisorHostname: "h1.example",
        hypervisorType: "QEMU",
        uptime: "up 3 days",
        vcpus: 4,
        cpuInfoJson: "{}",
      }),
    ]);
  }
}
