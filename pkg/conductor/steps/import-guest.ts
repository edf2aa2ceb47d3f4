import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { GuestOutput, ImportGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import importGuestThere from "../../compute/commands/import-guest.js";
import { CommonErrors } from "../../kernel/errors.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep } from "./agent-step.js";
import { claimedHost } from "./destinations.js";
import { leavingDisks, leavingGuest } from "./export-guest.js";
import { hostOf } from "./host-of.js";
import { ownMigrationId, placeAt } from "./moves.js";
import { isOnVolume } from "./prepare-volumes.js";
import { START_GUEST } from "./start-moved-guest.js";
import { takeBack } from "./take-back.js";
import { devicesOf } from "./volume-devices.js";

const IMPORT_GUEST = "import-guest";

/** What the command works with besides the record. */
interface Parts {
  readonly fromAddress: string;
  readonly volumes: readonly BlockDeviceRecord[];
}

/** Starts of the step on a host that is down before another one is tried: some minutes. */
const PATIENCE = 10;

/**
 * Has the destination fetch the disks from the host that the server leaves, and make the guest of them, off,
 * with its new flavor. When it cannot, or is down for long, the next alternate gets its turn. With its undo a
 * host that is down is left alone, unless the guest may run there: the old one must not run again beside it.
 */
export const importGuest = (ports: Ports): Step<MoveInput> => ({
  ...importStep(ports),
  needs: "move",
  async run(call) {
    const { attempts = 0 } = recordOf(call) ?? {};
    if (attempts > PATIENCE && !(await ports.agents.isUp(call.ctx, targetAt(call))))
      return fail(CommonErrors.UNAVAILABLE({ what: "The server's new host" }), {
        host: targetOf(call),
        backTo: claimedHost.step,
      });
    const from = { cell: call.database, host: hostOf(call) };
    const fromAddress = await ports.addresses.of(call.ctx, from);
    const volumes = (await devicesOf(call, ports, true)).filter(isOnVolume);
    return importStep(ports, { fromAddress, volumes }).run(call);
  },
  async undo(call) {
    const at = targetAt(call);
    if (at.host === "") return undefined;
    const gone = await takeBack(call, ports, at, importGuestThere, () => inputOf(call, NOTHING_YET));
    if (gone === undefined && call.operation.steps.some(({ name }) => name === START_GUEST))
      throw CommonErrors.UNAVAILABLE({ what: "The server's new host" });
    return undefined;
  },
});

const targetOf = ({ outputs }: Pick<StepCall, "outputs">): string =>
  outputs.find(claimedHost)?.host.host ?? "";

const targetAt = (call: StepCall): HostRef => ({ cell: call.database, host: targetOf(call) });

/** What is stored of the step's present round. */
const recordOf = ({ operation, round }: StepCall): StepRecord | undefined =>
  operation.steps.find((step) => step.name === IMPORT_GUEST && step.round === round);

type Phase = "image_download" | "image_conversion" | "disk_move";

const importStep = (ports: Ports, parts: Parts = NOTHING_YET): Step<MoveInput> =>
  agentStep<MoveInput, ImportGuestInput, GuestOutput, Phase>(ports, {
    name: IMPORT_GUEST,
    event: "compute_finish_resize",
    timeoutMs: 24 * 3_600_000,
    command: importGuestThere,
    host: targetOf,
    input: (call) => inputOf(call, parts),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: (call, { errorReason: reason, errorMessage: message, errorDetails: details }, host) =>
      fail(
        { reason, domain: "compute", message },
        {
          details,
          host,
          consumed: agentReports(call),
          ...(HOPELESS.has(reason) ? {} : { backTo: claimedHost.step }),
        },
      ),
  });

/** Failures that no other host would cure. Machines and processors are not the same on all. */
const HOPELESS: ReadonlySet<string> = new Set(["DISK_SHRINK_REFUSED", "FLAVOR_DISK_TOO_SMALL"]);

/** An undo needs nothing of it. */
const NOTHING_YET: Parts = { fromAddress: "", volumes: [] };

const inputOf = (call: StepCall<MoveInput>, { fromAddress, volumes }: Parts): ImportGuestInput => ({
  instance: asItWillBe(call),
  secrets: undefined,
  volumes: [...volumes],
  transferId: ownMigrationId(call),
  fromHost: hostOf(call),
  fromAddress,
  disks: leavingDisks(call.outputs.find(leavingGuest) ?? { disks: [] }),
});

/** The record as it will be at the destination. */
function asItWillBe({ instance, server, input, outputs }: StepCall<MoveInput>): InstanceRecord {
  const { spec } = instance;
  const host = outputs.find(claimedHost)?.host;
  const flavor = input.flavor ?? server.flavor;
  return {
    ...instance,
    server: {
      ...server,
      flavor,
      ...(host === undefined
        ? {}
        : { hostInfo: placeAt(server.hostInfo, host), availabilityZone: host.zone }),
    },
    spec: spec && { ...spec, flavor: input.flavor ?? spec.flavor },
  };
}
