import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { traced } from "../../kernel/index.js";
import type { Driver, GuestState, PreparedImage } from "../driver.js";
import { AgentErrors } from "../errors.js";
import type { VendorDocuments } from "../metadata/index.js";
import type { VendorData } from "../vendordata/index.js";
import { toGuestSpec } from "./instance-guest.js";
import type { Images, Plumbing } from "./ports.js";
import { vendorDocuments } from "./vendor-documents.js";

export const powerStateOf: Readonly<Record<GuestState["powerState"], PowerState>> = {
  NOSTATE: PowerState.POWER_STATE_NOSTATE,
  RUNNING: PowerState.POWER_STATE_RUNNING,
  PAUSED: PowerState.POWER_STATE_PAUSED,
  SHUTDOWN: PowerState.POWER_STATE_SHUTDOWN,
  CRASHED: PowerState.POWER_STATE_CRASHED,
  SUSPENDED: PowerState.POWER_STATE_SUSPENDED,
};

export interface GuestCommandDeps {
  readonly driver: Driver;
  readonly images: Images;
  readonly plumbing: Plumbing;
  /** DNS domain of guests. */
  readonly domain: string;
  /** Entropy for a guest's config drive, the same at each call. */
  readonly randomSeedOf: (serverId: string) => Uint8Array;
  /** What the operator tells guests, for config drives. */
  readonly vendorData: VendorData;
}

/** What each command does to the host: repeatable, journaled by `Commands`, fenced before it gets here. */
export function guestCommands({
  driver,
  images,
  plumbing,
  domain,
  randomSeedOf,
  vendorData,
}: GuestCommandDeps): {
  build(ctx: Ctx, instance: InstanceRecord, secrets: ServerSecrets | undefined): Promise<PowerState>;
  destroy(ctx: Ctx, serverId: string): Promise<PowerState>;
  powerOn(ctx: Ctx, instance: InstanceRecord): Promise<PowerState>;
  powerOff(ctx: Ctx, serverId: string, softTimeoutMs: number): Promise<PowerState>;
  reboot(ctx: Ctx, instance: InstanceRecord, hard: boolean, softTimeoutMs: number): Promise<PowerState>;
} {
  const socketPathOf =
    (serverId: string) =>
    (portId: string): string =>
      driver.interfaceSocketPath?.(serverId, portId) ?? "";
  const stateOf = async (ctx: Ctx, serverId: string): Promise<PowerState> =>
    powerStateOf[(await driver.inspect(ctx, serverId))?.powerState ?? "NOSTATE"];
  const step = <T>(ctx: Ctx, name: string, fn: (ctx: Ctx) => Promise<T>): Promise<T> => {
    ctx.signal.throwIfAborted();
    return traced(ctx, name, {}, fn);
  };

  return {
    async build(ctx, instance, secrets) {
      const serverId = idOf(instance);
      const [rootImage, kernel] = await step(ctx, "agent.images", (c) => prepareImages(c, images, instance));
      const documents = await step(ctx, "agent.vendor-data", (c) =>
        driveVendorData(c, vendorData, instance, secrets),
      );
      const spec = toGuestSpec(instance, secrets, {
        domain,
        rootImage,
        kernel,
        socketPathOf: socketPathOf(serverId),
        randomSeed: randomSeedOf(serverId),
        vendorDocuments: documents,
      });
      await step(ctx, "driver.define", (c) => driver.define(c, spec));
      await step(ctx, "agent.plug", (c) => plumbing.plug(c, instance, socketPathOf(serverId)));
      await step(ctx, "driver.powerOn", (c) => driver.powerOn(c, serverId));
      return stateOf(ctx, serverId);
    },

    async destroy(ctx, serverId) {
      await step(ctx, "driver.remove", (c) => driver.remove(c, serverId));
      await step(ctx, "agent.unplug", (c) => plumbing.unplug(c, [], serverId));
      return PowerState.POWER_STATE_NOSTATE;
    },

    async powerOn(ctx, instance) {
      const serverId = idOf(instance);
      await step(ctx, "agent.plug", (c) => plumbing.plug(c, instance, socketPathOf(serverId)));
      await step(ctx, "driver.powerOn", (c) => driver.powerOn(c, serverId));
      return stateOf(ctx, serverId);
    },

    async powerOff(ctx, serverId, softTimeoutMs) {
      await step(ctx, "driver.powerOff", (c) => driver.powerOff(c, serverId, softTimeoutMs));
      return stateOf(ctx, serverId);
    },

    async reboot(ctx, instance, hard, softTimeoutMs) {
      const serverId = idOf(instance);
      if (!(await driver.inspect(ctx, serverId))) throw AgentErrors.GUEST_NOT_FOUND({ serverId });
      await step(ctx, "agent.plug", (c) => plumbing.plug(c, instance, socketPathOf(serverId)));
      await step(ctx, "driver.reboot", (c) =>
        driver.reboot(c, serverId, hard ? "hard" : "soft", softTimeoutMs),
      );
      return stateOf(ctx, serverId);
    },
  };
}

const idOf = (instance: InstanceRecord): string => {
  if (!instance.server) throw new Error("instance record without server");
  return instance.server.id;
};

async function driveVendorData(
  ctx: Ctx,
  vendorData: VendorData,
  instance: InstanceRecord,
  secrets: ServerSecrets | undefined,
): Promise<VendorDocuments> {
  return instance.server?.configDrive
    ? vendorDocuments(ctx, vendorData, instance, { userData: secrets?.userData ?? "", dynamic: true })
    : {};
}

/** Fetches what was resolved when the server was accepted, and nothing that a property names. */
async function prepareImages(
  ctx: Ctx,
  images: Images,
  { spec }: InstanceRecord,
): Promise<
  [PreparedImage | undefined, { kernel: PreparedImage; ramdisk: PreparedImage | undefined } | undefined]
> {
  const [root, kernel, ramdisk] = await Promise.all(
    [spec?.image, spec?.kernel, spec?.ramdisk].map(
      async (image) => image && (await images.prepare(ctx, image)),
    ),
  );
  return [root, kernel && { kernel, ramdisk }];
}
