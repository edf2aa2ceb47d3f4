import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { MigrationChange } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import destroyGuest from "../../compute/commands/destroy-guest.js";
import { CommonErrors } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { reservedAgain } from "./attachments.js";
import { generationOf } from "./claim-destination.js";
import { changeOf } from "./device-change.js";
import { freeEarlierMoves } from "./earlier-moves.js";
import { placeInGroup } from "./group-places.js";
import { hostOf } from "./host-of.js";
import { untilNoneLeft } from "./look-again.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf, isMissing } from "./volume-devices.js";

const TIMEOUT_MS = 600_000;

/** A host that is down cannot remove anything, and nobody knows for how long: then nothing is begun. */
export const reachHost = <I>({ agents }: Pick<Ports, "agents">): Step<I> => ({
  name: "reach-host",
  event: "",
  timeoutMs: 60_000,
  run: async (call) =>
    (await agents.isUp(call.ctx, { cell: call.database, host: hostOf(call) }))
      ? done()
      : fail(CommonErrors.UNAVAILABLE({ what: "The server's host" })),
});

/**
 * Has the server's host remove the guest with its disks. A host that is down is waited for: nobody else can
 * say that the guest is gone.
 */
export const removeGuest = <I>(ports: Ports, taskState: string = TaskState.shelvingOffloading): Step<I> => {
  const { name, event, timeoutMs, run } = agentStep<I, GuestInput, GuestOutput, never>(ports, {
    name: "let-go",
    event: "compute_shelve_offload_instance",
    timeoutMs: TIMEOUT_MS,
    command: destroyGuest,
    host: hostOf,
    input: () => ({}),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  // Nothing brings a guest back that is removed.
  return { name, event, taskState, timeoutMs, run };
};

/**
 * Ports and volumes stay the server's, and are no host's any more. One that somebody has deleted is none of
 * them.
 */
export const disconnectHost = <I>(ports: Pick<Ports, "neutron" | "cinder" | "records">): Step<I> => ({
  name: "disconnect-host",
  unfenced: true,
  event: "",
  timeoutMs: TIMEOUT_MS,
  async run(call) {
    const putPorts = await unbindPorts(call, ports);
    const changes = [];
    for (const device of (await devicesOf(call, ports)).filter(isOnVolume)) {
      const attachmentId = (await unlessMissing(reservedAgain(call, ports, device.volumeId))) ?? "";
      changes.push(
        changeOf({ ...device, attachmentId, connectionInfo: "" }, ["attachment_id", "connection_info"]),
      );
    }
    return done({}, { putPorts, more: { blockDevices: changes } });
  },
});

/**
 * The end: the server holds nothing of a host, and has none then: who sees it gone finds the room. Nor do its
 * earlier moves hold anything of that host.
 */
export const leaveHost = <I>(ports: Pick<Ports, "moves" | "migrations" | "groups">): Step<I> => ({
  name: "leave-host",
  // For the group.
  unfenced: true,
  // Nova's host does it as a part of its own event.
  event: "",
  timeoutMs: TIMEOUT_MS,
  async run(call) {
    const { ctx, instance, server } = call;
    await holdNothing(call, ports);
    const migrations = await freeEarlierMoves(call, ports, hostOf(call));
    await placeInGroup(ports, ctx, instance.spec, server.id, undefined);
    return done({}, offloaded(server, migrations));
  },
});

/**
 * Claims nothing instead of what the server holds, then forbids that to whoever was overtaken: late, it would
 * take what another operation has claimed since.
 */
async function holdNothing(
  call: Pick<StepCall, "ctx" | "operation" | "server" | "fence">,
  { moves }: Pick<Ports, "moves">,
): Promise<void> {
  const { ctx, operation, server, fence } = call;
  const { id: consumerId, projectId, userId } = server;
  const key = { operation: operation.name, fence };
  const consumerGeneration = await generationOf(call, moves);
  if (consumerGeneration !== undefined)
    await moves.claimAllocations(ctx, {
      ...key,
      claim: { consumerId, projectId, userId, consumerGeneration, allocations: [] },
    });
  await moves.releaseAllocations(ctx, { ...key, consumerId, ownClaimsOnly: true });
}

const offloaded = (server: StepCall["server"], migrations: readonly MigrationChange[]): Change => ({
  set: {
    vmState: VmState.VM_STATE_SHELVED_OFFLOADED,
    powerState: PowerState.POWER_STATE_SHUTDOWN,
    hostInfo: nowhere(server.hostInfo),
  },
  dropFault: true,
  more: { replaceHostResources: true, migrations: [...migrations] },
});

/** What is known of a server's place once it has none. */
export const nowhere = (info: ServerHostInfo | undefined): ServerHostInfo | undefined =>
  info && { ...info, host: undefined, node: undefined, computeNodeUuid: undefined };

/** Takes a server's ports off their host; they stay its own. @returns them, as they are now */
export async function unbindPorts(
  { ctx, server, instance }: Pick<StepCall, "ctx" | "server" | "instance">,
  { neutron }: Pick<Ports, "neutron">,
): Promise<InstancePort[]> {
  await untilNoneLeft(
    "The network",
    async () =>
      (await neutron.listPorts(ctx, { deviceIds: [server.id] })).filter(({ bindingHostId }) => bindingHostId),
    (bound) => Promise.all(bound.map(({ id }) => neutron.updatePort(ctx, id, { bindingHostId: "" }))),
  );
  return instance.ports.map((port) => ({ ...port, vifType: "" }));
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return undefined;
  }
}
