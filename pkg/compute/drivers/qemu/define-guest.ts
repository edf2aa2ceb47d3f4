import type { Ctx } from "../../../kernel/index.js";
import { ifThere } from "../../../platform/files/index.js";
import type { GuestSpec } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import type { Isolation } from "../host/isolation.js";
import type { RunTool } from "../host/run-tool.js";
import { writeConfigDrive } from "./config-drive.js";
import type { HardwareOffer, QemuConfig } from "./config.js";
import { deviceOf, says, toDefinition, userOf } from "./definition.js";
import type { Before, Definition } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import { prepareDisks, qcow2SizeBytes } from "./disks.js";
import type { GuestFiles } from "./guest-files.js";
import { checkSocketPath, interfaceSocketPath } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";
import { checkHardware, pinMachine } from "./hardware.js";
import { layoutHere } from "./layout.js";
import type { Layout } from "./layout.js";

export interface DefineTools {
  readonly config: Pick<QemuConfig, "qemuImg" | "xorriso" | "configDriveFormat" | "toolTimeoutMs">;
  readonly offer: HardwareOffer;
  readonly files: GuestFiles;
  readonly run: RunTool;
  readonly runDir: string;
  readonly isolation: Pick<Isolation, "tool" | "uids">;
}

export interface DefineInput {
  readonly spec: GuestSpec;
  readonly before: Definition | undefined;
  readonly isRunning: boolean;
  readonly paths: GuestPaths;
}

/**
 * Makes or changes a guest's files so that they fit the spec; the definition's file is written last. Disks of
 * a running guest are left alone: they grow at its next start.
 *
 * @returns the definition now in force
 * @throws UNSUPPORTED_HARDWARE, FLAVOR_DISK_TOO_SMALL, IMAGE_CHANGED, DISK_LOST, DISK_SHRINK_REFUSED
 */
export async function defineGuest(ctx: Ctx, input: DefineInput, tools: DefineTools): Promise<Definition> {
  const { spec, paths } = input;
  // What is defined anew is rescued no more.
  const before = input.before && { ...input.before, rescue: null };
  const wanted = wantedDefinition({ spec, before, uidBefore: before?.uid, paths }, tools);
  if (input.before && says(input.before, wanted)) return input.before;
  await makeFiles(ctx, { ...input, before, wanted }, tools);
  await tools.files.commit(paths, wanted);
  return wanted;
}

/**
 * What a spec means on this host.
 * @param uidBefore  the guest's user, which stays the same where it can
 * @param layout  of the machine that it was at another host; then there is no `before`
 */
export function wantedDefinition(
  {
    spec,
    before,
    uidBefore,
    paths,
    layout,
  }: Omit<DefineInput, "isRunning"> & {
    readonly uidBefore: number | null | undefined;
    readonly layout?: Layout | undefined;
  },
  tools: Pick<DefineTools, "runDir" | "offer" | "isolation">,
): Definition {
  const kept = layout && layoutHere(layout, spec, tools.offer);
  const wanted = toDefinition(
    withSockets(spec, tools.runDir),
    kept?.machine ?? machineFor(spec, before, tools.offer),
    tools.isolation.uids?.take(paths.dir, uidBefore ?? undefined).uid ?? null,
    kept === undefined ? before : asBefore(kept),
  );
  const formerPlaces = kept?.volumes ?? before?.formerPlaces;
  return {
    ...wanted,
    ...(formerPlaces === undefined ? {} : { formerPlaces }),
    ...(before?.builtAs === undefined ? {} : { builtAs: before.builtAs }),
    ...(before?.arrivedBy === undefined ? {} : { arrivedBy: before.arrivedBy }),
  };
}

/**
 * Makes everything that a definition means, but does not write it. @throws as `defineGuest`
 */
export async function makeFiles(
  ctx: Ctx,
  { spec, wanted, before, isRunning, paths }: DefineInput & { readonly wanted: Definition },
  tools: DefineTools,
): Promise<void> {
  const user = userOf(wanted);
  checkHardware(wanted.spec, wanted.machine, tools.offer);
  await checkDisks(wanted, before, paths);
  await tools.files.makeFolder(paths, user);
  await prepareDisks(
    ctx,
    { definition: wanted, before, paths, isRunning },
    { run: tools.run, config: tools.config, isolation: tools.isolation, user },
  );
  if (spec.configDrive && wanted.configDriveDigest !== before?.configDriveDigest) {
    const { xorriso, configDriveFormat, toolTimeoutMs } = tools.config;
    await writeConfigDrive(ctx, spec.configDrive, paths.configDrive, {
      run: tools.run,
      xorriso,
      format: configDriveFormat,
      timeoutMs: toolTimeoutMs,
      isolation: tools.isolation,
      user,
    });
  }
}

/** A machine once pinned stays what it is until another type is asked for. */
function machineFor(spec: GuestSpec, before: Definition | undefined, offer: HardwareOffer): string {
  if (before && before.spec.hardware.machineType === spec.hardware.machineType) return before.machine;
  return pinMachine(spec.hardware.machineType, offer);
}

/** Its volumes are not here yet. */
const asBefore = ({ rootPorts, interfaces }: Layout): Before => ({
  rootPorts,
  volumes: [],
  spec: { interfaces: interfaces.map((one) => ({ ...one, device: deviceOf(one) })) },
});

function withSockets(spec: GuestSpec, runDir: string): GuestSpec {
  const interfaces = spec.interfaces.map((nic) => ({
    ...nic,
    socketPath:
      nic.socketPath === ""
        ? interfaceSocketPath(runDir, spec.instanceUuid, nic.portId)
        : checkSocketPath(nic.socketPath),
  }));
  return { ...spec, interfaces };
}

async function checkDisks(
  wanted: Definition,
  before: Definition | undefined,
  paths: GuestPaths,
): Promise<void> {
  const { rootImage, instanceUuid } = wanted.spec;
  const root = planDisks(wanted, paths).find((disk) => disk.node === "root");
  if (rootImage && root && rootImage.virtualSizeBytes > root.sizeBytes) {
    throw DriverErrors.FLAVOR_DISK_TOO_SMALL({
      rootBytes: root.sizeBytes,
      imageBytes: rootImage.virtualSizeBytes,
    });
  }
  if (before === undefined) return;
  if (before.spec.rootImage?.path !== rootImage?.path) throw DriverErrors.IMAGE_CHANGED({ instanceUuid });
  const haveBytes = root === undefined ? 0 : ((await ifThere(qcow2SizeBytes(paths.rootDisk))) ?? 0);
  if (root && haveBytes > root.sizeBytes)
    throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes, wantBytes: root.sizeBytes });
}
