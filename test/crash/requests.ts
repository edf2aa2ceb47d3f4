import { HostTarget } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { AcceptServersRequest } from "../../gen/kilonova/cells/v1/global_service.js";
import type { BlockDevice } from "../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../gen/kilonova/type/v1/flavor.js";
import type { Operation } from "../../gen/kilonova/type/v1/operation.js";
import { VmState, DiskConfig } from "../../gen/kilonova/type/v1/server.js";
import type { Server } from "../../gen/kilonova/cells/v1/server.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { catalogue } from "../../pkg/model/operation-catalogue.js";
import {
  exampleInput,
  exampleSecrets,
  newestVersion,
  subjectOf,
  versionFor,
} from "../../pkg/model/operation-declaration.js";
import type { OperationDeclaration } from "../../pkg/model/operation-declaration.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "./cloud.js";

const actor = { kind: "user", userId: "user", projectId: "project", roles: ["member"] };
const flavor = { id: "1", name: "m1.tiny", vcpus: 1, memoryMib: 512, rootGib: 1 };

export interface BootOptions {
  readonly ids: readonly string[];
  readonly networks?: readonly { readonly networkId?: string; readonly portId?: string }[];
  readonly clientToken?: string;
  readonly minCount?: number;
  readonly name?: string;
  readonly flavor?: Partial<Pick<Flavor, keyof typeof flavor | "ephemeralGib" | "swapMib">>;
  /** Its disks, as the api has resolved them; none: those of image and flavor. */
  readonly blockDevices?: readonly Partial<BlockDevice>[];
  /** The only host where they may be built; absent: any. */
  readonly host?: string;
  /** Reservation of servers that are built together or not at all. */
  readonly batch?: string;
}

/** A request for servers, as the api makes it. */
export function bootRequest({
  ids,
  networks = [],
  clientToken = "",
  minCount,
  name = "vm",
  flavor: changed = {},
  batch = "",
  blockDevices = [],
  host = "",
}: BootOptions): AcceptServersRequest {
  const size = { ...flavor, ...changed };
  return AcceptServersRequest.fromPartial({
    actor,
    clientToken,
    bodyHash: Buffer.from(JSON.stringify({ networks, name, changed })),
    minCount: minCount ?? ids.length,
    servers: ids.map((serverId, launchIndex) => ({
      serverId,
      secrets: { adminPassword: "secret", userData: "IyEvYmluL3No" },
      spec: {
        name,
        hostname: name,
        flavor: size,
        networks: [...networks],
        blockDevices: [...blockDevices],
        forcedHost: host,
        ...(batch === "" ? {} : { batchSize: ids.length }),
        image: {
          id: "1a000000-0000-4000-8000-000000000001",
          diskFormat: "qcow2",
          properties: new Map([["hw_qemu_guest_agent", "yes"]]),
        },
      },
      server: {
        id: serverId,
        name,
        hostname: name,
        projectId: "project",
        userId: "user",
        vmState: VmState.VM_STATE_BUILDING,
        taskState: "scheduling",
        flavor: size,
        launchIndex,
        reservationId: batch || "r-test",
        diskConfig: DiskConfig.DISK_CONFIG_MANUAL,
      },
    })),
  });
}

/** Accepts servers. */
export const boot = async (cloud: Cloud, options: BootOptions) =>
  cloud.global.acceptServers(testCtx(), bootRequest(options));

/** @throws when nobody declares the kind */
export function operationOf(kind: string): OperationDeclaration {
  const declaration = catalogue.find(kind);
  if (declaration === undefined) throw new Error(`nobody declares ${kind}`);
  return declaration;
}

/** Hosts that operations of the cloud work with, as the api would find them. */
export async function targets(cloud: Cloud): Promise<HostTarget[]> {
  const { nodes } = await cloud.hosts.listHosts(testCtx(), { cell: "cell1", recordsOnly: true });
  return nodes.map(({ id, host }) => HostTarget.fromPartial({ cell: "cell1", host, hostId: id }));
}

/** As `act`, for an operation on the first host, or on the cloud with all hosts. */
export async function actOnSubject(cloud: Cloud, declaration: OperationDeclaration): Promise<Operation> {
  const hosts = await targets(cloud);
  const onHost = subjectOf(declaration) === "host";
  const input = onHost
    ? exampleInput(declaration)
    : declaration.input
        .encode(declaration.input.fromPartial({ ...declaration.example?.input, hosts }))
        .finish();
  const { operation } = await cloud.operations.acceptSubjectOperation(testCtx(), {
    hostId: onHost ? (hosts[0]?.hostId ?? "") : "",
    actor,
    kind: declaration.kind,
    kindVersion: newestVersion(declaration),
    input: Buffer.from(input),
    secrets: Buffer.from(exampleSecrets(declaration)),
    method: declaration.kind,
  });
  if (operation === undefined) throw new Error("no operation");
  return operation;
}

/** Accepts an operation as it is declared, with its example unless told otherwise. */
export async function act(
  cloud: Cloud,
  serverId: string,
  declaration: OperationDeclaration,
  { input = exampleInput(declaration), requestId }: { input?: Uint8Array; requestId?: string } = {},
): Promise<Operation> {
  const accept = async (): Promise<Operation | undefined> =>
    (
      await cloud.instances.acceptOperation(testCtx(requestId === undefined ? {} : { requestId }), {
        database: await databaseOf(cloud, serverId),
        serverId,
        actor,
        kind: declaration.kind,
        kindVersion: versionFor(declaration, input),
        input: Buffer.from(input),
        secrets: Buffer.from(exampleSecrets(declaration)),
        method: declaration.kind,
      })
    ).operation;
  const operation = await accept().catch((error: unknown) => {
    if (
      error instanceof KilonovaError &&
      (error.reason === "SERVER_MOVED" || error.reason === "SERVER_NOT_FOUND")
    )
      return accept();
    throw error;
  });
  if (operation === undefined) throw new Error("no operation");
  return operation;
}

export async function databaseOf({ global }: Cloud, serverId: string): Promise<string> {
  return (await global.getInstanceMappings(testCtx(), { serverIds: [serverId] })).mappings[0]?.database ?? "";
}

/** The server as it is now, wherever it is; deleted ones too. */
export async function serverOf(cloud: Cloud, serverId: string): Promise<Server> {
  const read = async (): Promise<Server | undefined> =>
    (
      await cloud.instances.getInstance(testCtx(), {
        database: await databaseOf(cloud, serverId),
        serverId,
        withDeleted: true,
      })
    ).instance?.server;
  const server = await read().catch(() => read());
  if (server === undefined) throw new Error("no server");
  return server;
}

/** Waits for the end of the server's newest operation. @returns the server then */
export async function ended(cloud: Cloud, serverId: string): Promise<Server> {
  return until(
    async () => {
      const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId });
      const newest = operations[0];
      return newest !== undefined && !isLive(newest.state) && serverOf(cloud, serverId);
    },
    { timeoutMs: 60_000, what: "the newest operation to end", everyMs: 10 },
  );
}
