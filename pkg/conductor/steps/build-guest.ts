import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { BuildGuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import { imageRefOf } from "../../clients/glance/index.js";
import buildGuestThere, { type BuildPhase } from "../../compute/commands/build-guest.js";
import { CommonErrors } from "../../kernel/errors.js";
import { toTimestamp } from "../../model/wire-time.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep } from "./agent-step.js";
import { claimedHost } from "./destinations.js";
import { isOnVolume } from "./prepare-volumes.js";
import { takeBack } from "./take-back.js";
import { devicesOf, isMissing } from "./volume-devices.js";

/** Failures that no other host would cure. @source conductor-workflows §1, failure class "abort" */
const HOPELESS: ReadonlySet<string> = new Set([
  "IMAGE_REFUSED",
  "IMAGE_NOT_ACTIVE",
  "IMAGE_NOT_CONVERTIBLE",
  "IMAGE_NOT_FOUND",
  "IMAGE_CHANGED",
  "FLAVOR_DISK_TOO_SMALL",
  "UNSUPPORTED_HARDWARE",
]);

/** Has the host's agent build and start the guest. When the host cannot, the next alternate gets its turn. */
export const buildGuest = (ports: Ports): Step => buildStep(ports);

/**
 * As `buildGuest`, of a guest with volumes. How they are reached is read from their records for each start.
 */
export const buildGuestOnVolumes = (ports: Ports): Step => ({
  ...buildStep(ports),
  run: async (call) => buildStep(ports, { volumes: await volumesOf(call, ports) }).run(call),
});

const volumesOf = async (call: StepCall, ports: Pick<Ports, "records">): Promise<BlockDeviceRecord[]> =>
  (await devicesOf(call, ports, true)).filter(isOnVolume);

/**
 * Builds the guest of an offloaded server anew: from the image of its shelving, if that made one, and with
 * all its volumes. The server is active once the image is gone. With its undo a host that is down is waited
 * for: the guest may run there, and the next one would have the same volumes and ports.
 */
export const buildShelvedGuest = <I>(ports: Ports): Step<I> => ({
  ...buildStep<I>(ports),
  event: "compute_unshelve_instance",
  run: async (call) => {
    const imageId = call.server.shelving?.imageId ?? "";
    let image: ImageRef | undefined;
    try {
      image = imageId === "" ? undefined : await shelvedImage(call, ports, imageId);
    } catch (error) {
      if (!isMissing(error)) throw error;
      return fail(ConductorErrors.SHELVED_IMAGE_GONE({ image: imageId }));
    }
    const parts = { volumes: await volumesOf(call, ports), ...(image && { image }) };
    const built = await buildStep<I>(ports, parts).run(call);
    if (built.kind !== "done") return built;
    const { powerState, launchedAt } = built.change?.set ?? {};
    return { ...built, change: { set: { powerState, launchedAt } } };
  },
  async undo(call) {
    const at = { cell: call.database, host: targetOf(call) };
    if (at.host === "") return undefined;
    const gone = await takeBack(call, ports, at, buildGuestThere, () => inputOf(call, {}));
    if (gone === undefined) throw CommonErrors.UNAVAILABLE({ what: "The server's new host" });
    return undefined;
  },
});

const targetOf = ({ outputs }: Pick<StepCall, "outputs">): string =>
  outputs.find(claimedHost)?.host.host ?? "";

/** The data of one image with what the server's own says of the machine. */
async function shelvedImage(
  { ctx, instance }: StepCall,
  { images }: Pick<Ports, "images">,
  imageId: string,
): Promise<ImageRef> {
  const properties = instance.spec?.image?.properties ?? new Map<string, string>();
  return imageRefOf(await images.getImage(ctx, imageId), properties);
}

/** What the guest is built of besides its record. */
interface Parts {
  readonly volumes?: readonly BlockDeviceRecord[];
  /** Instead of the record's. */
  readonly image?: ImageRef;
}

const buildStep = <I>(ports: Ports, parts: Parts = {}): Step<I> =>
  agentStep<I, BuildGuestInput, GuestOutput, BuildPhase>(ports, {
    name: "build-guest",
    event: "compute__do_build_and_run_instance",
    taskState: "spawning",
    timeoutMs: 3_600_000,
    command: buildGuestThere,
    host: targetOf,
    input: (call) => inputOf(call, parts),
    done: active,
    failed,
  });

const inputOf = ({ instance, secrets }: StepCall, { volumes = [], image }: Parts): BuildGuestInput => ({
  instance: image && instance.spec ? { ...instance, spec: { ...instance.spec, image } } : instance,
  // No host acts with a user's rights.
  secrets: secrets.length === 0 ? undefined : { ...ServerSecrets.decode(secrets), userToken: "" },
  volumes: [...volumes],
});

function active(call: StepCall, output: GuestOutput, host: string): StepResult {
  const powerState =
    output.powerState === PowerState.POWER_STATE_UNSPECIFIED
      ? PowerState.POWER_STATE_RUNNING
      : output.powerState;
  const set = { vmState: VmState.VM_STATE_ACTIVE, powerState, launchedAt: toTimestamp(call.now) };
  return done({ host }, { set, dropFault: true }, { host, consumed: agentReports(call) });
}

function failed(
  call: StepCall,
  { errorReason, errorMessage, errorDetails }: CommandResult,
  host: string,
): StepResult {
  const error = { reason: errorReason, domain: "compute", message: errorMessage };
  const common = { details: errorDetails, host, consumed: agentReports(call) };
  return HOPELESS.has(errorReason)
    ? fail(error, common)
    : fail(error, { ...common, backTo: claimedHost.step });
}
