import assert from "node:assert/strict";
import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { EndMoveInput, MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  MigrationKind,
  MigrationRecord,
} from "../../../gen/kilonova/cells/v1/server_records.js";
import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { CommandPhase, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import {
  DescribeConnectorOutput,
  ExportGuestOutput,
  GuestOutput,
} from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../cells/testing/records.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { CommonErrors } from "../../kernel/errors.js";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { networkFacts } from "../adapters/network-facts.js";
import type { Change, StepCall, StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { claimedHost } from "../steps/destinations.js";
import { restingMigration } from "../steps/resting-migration.js";
import { OPERATION, SERVER, aCall, finished } from "./a-call.js";

/** Where the server is before, and where it goes. */
export const FROM = "h1";
export const TO = "h2";
export const VOLUME = "a0000000-0000-4000-8000-000000000001";

const destination = { cell: "cell1", host: TO, node: "n2", computeNodeId: "c2", zone: "west", resources: [] };
/** The step that holds the claim on the new host. */
export const claimedTo = finished(claimedHost, { index: 0, host: destination });

export const newFlavor = { id: "2", name: "m2", vcpus: 2, memoryMib: 256, rootGib: 1 };

/** What was sent to a host's agent. */
export interface Sent {
  readonly host: string;
  readonly command: string;
  readonly commandId: string;
  readonly undoOf: string;
  readonly input: Buffer;
}

/**
 * A server on h1 with a port, a volume, and a migration to h2; the services around it, and agents that do as
 * they are told.
 */
export async function aMove(init: Partial<MigrationRecord> = {}) {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const port = neutron.addPort({
    networkId: network.id,
    deviceId: SERVER,
    bindingHostId: FROM,
    vifType: "ovs",
  });
  const cinder = fakeCinder();
  cinder.addVolume({ id: VOLUME });
  const attachment = await cinder.createAttachment(testCtx(), { volumeId: VOLUME, serverId: SERVER });
  await cinder.updateAttachment(testCtx(), attachment.id, { host: FROM });
  await cinder.completeAttachment(testCtx(), attachment.id);
  const devices = [
    BlockDeviceRecord.fromPartial({
      id: "data",
      volumeId: VOLUME,
      attachmentId: attachment.id,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
    }),
  ];
  const server = aServer({
    id: SERVER,
    availabilityZone: "east",
    hostInfo: { host: FROM, node: "n1", computeNodeUuid: "c1", launchedOn: "h0" },
  });
  const oldFlavor = server.flavor ?? assert.fail("no flavor");
  const migration = MigrationRecord.fromPartial({
    id: OPERATION,
    serverId: SERVER,
    kind: MigrationKind.MIGRATION_KIND_RESIZE,
    status: "migrating",
    operation: `operations/${SERVER}/${OPERATION}`,
    source: { cell: "cell1", host: FROM, node: "n1", computeNodeId: "c1", availabilityZone: "east" },
    target: { cell: "cell1", host: TO, node: "n2", computeNodeId: "c2", availabilityZone: "west" },
    oldFlavor,
    newFlavor,
    ...init,
  });
  const sent: Sent[] = [];
  const asked: { readonly method: string; readonly request: object }[] = [];
  const down = new Set<string>();
  const failing = new Set<string>();
  const reasons = new Map<string, string>();
  const noted =
    <T>(method: string, answer: T) =>
    async (_ctx: unknown, request: object): Promise<T> => {
      asked.push({ method, request });
      return answer;
    };
  const ports = {
    neutron,
    cinder,
    factsOf: networkFacts(neutron, fakeClock()),
    records: { listBlockDevices: async () => ({ blockDevices: devices, nextPageToken: "" }) },
    migrations: {
      getMigration: async () => ({ migration, pageToken: "" }),
      listMigrations: async () => ({ rows: [{ migration, pageToken: "" }], more: false }),
    },
    children: { getStoredOperation: noted("getStoredOperation", { operation: undefined }) },
    placement: { releaseAllocations: noted("releaseAllocations", { released: true }) },
    moves: {
      claimAllocations: noted("claimAllocations", {}),
      revertAllocations: noted("revertAllocations", { reverted: true }),
      releaseAllocations: noted("releaseAllocations", { released: true }),
      getAllocations: async () => ({ consumers: [{ consumerGeneration: 7n }] }),
    },
    groups: {},
    addresses: { of: async (_ctx: unknown, { host }: { host: string }) => `agent:${host}` },
    agents: {
      isUp: async (_ctx: unknown, { host }: { host: string }) => !down.has(host),
      at: async (_ctx: unknown, { host }: { host: string }) => {
        if (down.has(host)) throw CommonErrors.UNAVAILABLE({ what: "The agent" });
        return agentOf(host, sent, failing, reasons);
      },
    },
    agentWaitMs: 1,
    softTimeoutMs: 5_000,
  } as unknown as Ports & { readonly factsOf: ReturnType<typeof networkFacts> };
  const ours: Partial<InstancePort>[] = [{ portId: port.id, createdByUs: true, vifType: "ovs" }];
  const spec = { flavor: oldFlavor, name: "vm" };
  type CallInit = NonNullable<Parameters<typeof aCall>[0]>;
  const callWith = (more: CallInit): StepCall =>
    aCall({ ...more, instance: { server, ports: ours, spec, ...more.instance } });
  return {
    neutron,
    cinder,
    ports,
    server,
    devices,
    migration,
    sent,
    asked,
    down,
    failing,
    /** With which reason a command fails that does. */
    reasons,
    oldFlavor,
    /** What a step of the move sees. */
    moving: (input: Partial<MoveInput> = {}, more: CallInit = {}): StepCall<MoveInput> => ({
      ...callWith({ steps: [claimedTo], ...more }),
      input: MoveInput.fromPartial(input),
    }),
    /** What a step sees that leads it on. */
    ending: (more: CallInit = {}): StepCall<EndMoveInput> => ({
      ...callWith({ steps: [led(migration)], ...more }),
      input: EndMoveInput.fromPartial({ migrationId: OPERATION }),
    }),
  };
}

/** The step that has read the migration which is led on. */
const led = (migration: MigrationRecord): StepRecord =>
  finished(restingMigration, {
    migration: Buffer.from(MigrationRecord.encode(migration).finish()).toString("base64"),
  });

function agentOf(
  host: string,
  sent: Sent[],
  failing: ReadonlySet<string>,
  reasons: ReadonlyMap<string, string>,
) {
  const outputs: Readonly<Record<string, Uint8Array>> = {
    "describe-connector": DescribeConnectorOutput.encode({ connector: JSON.stringify({ host }) }).finish(),
    "export-guest": ExportGuestOutput.encode(
      ExportGuestOutput.fromPartial({
        disks: [{ name: "root", format: "qcow2", sizeBytes: 9n, dataBytes: 5n }],
      }),
    ).finish(),
  };
  return {
    inspectGuest: async () => ({ defined: true, powerState: PowerState.POWER_STATE_RUNNING }),
    cancelCommand: async () => ({
      result: CommandResult.fromPartial({ phase: CommandPhase.COMMAND_PHASE_UNDONE }),
    }),
    runCommand: async (
      _ctx: unknown,
      request: { header: { commandId: string }; command: string; input: Buffer; undoOf: string },
    ) => {
      const { header, command, input, undoOf } = request;
      sent.push({ host, command, commandId: header.commandId, undoOf, input });
      if (failing.has(command))
        return {
          result: CommandResult.fromPartial({
            phase: CommandPhase.COMMAND_PHASE_FAILED,
            errorReason: reasons.get(command) ?? "HYPERVISOR_FAILED",
            errorMessage: "no",
          }),
        };
      const output = Buffer.from(
        outputs[command] ?? GuestOutput.encode({ powerState: PowerState.POWER_STATE_RUNNING }).finish(),
      );
      return { result: CommandResult.fromPartial({ phase: CommandPhase.COMMAND_PHASE_DONE, output }) };
    },
  };
}

/** Groups that remember where their members were said to be. */
export function tellingGroups(): {
  readonly groups: Ports["groups"];
  /** What was told, in order. */
  readonly told: readonly object[];
} {
  const told: object[] = [];
  const groups: Ports["groups"] = {
    getStoredServerGroup: (): never => assert.fail("nobody asks"),
    placeGroupMember: async (_ctx, request) => {
      told.push(request);
      return {};
    },
  };
  return { groups, told };
}

/** A result that must be a finished step's. */
export function doneOf(result: StepResult): Extract<StepResult, { kind: "done" }> {
  assert.ok(result.kind === "done", JSON.stringify(result.kind === "fail" ? result.error : result.kind));
  return result;
}

/** Statuses that a change gives to migrations. */
export const statusesOf = (change: Change | undefined): (string | undefined)[] =>
  (change?.more?.migrations ?? []).map((one) => one.migration?.status);
