import { InstancePort, InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../kernel/index.js";
import { traced } from "../../kernel/index.js";
import type { CommandHost } from "../commands/command.js";
import type { Driver } from "../driver.js";
import { untold } from "../driver.js";
import type { VendorDocuments } from "../metadata/index.js";
import { powerStateOf } from "./power-states.js";
import { imagesOf, prepareImages, restoreImages } from "./prepare-images.js";
import type { VendorData } from "../vendordata/index.js";
import { toGuestInterface, toGuestSpec } from "./instance-guest.js";
import type { DiskSources, ImageUploads, Images, Plumbing } from "./ports.js";
import { toRescueSpec } from "./rescue-spec.js";
import { guestVolume } from "../volumes/index.js";
import { vendorDocuments } from "./vendor-documents.js";

export interface CommandHostDeps {
  readonly driver: Driver;
  readonly images: Images;
  readonly uploads: ImageUploads;
  readonly disks: DiskSources;
  readonly plumbing: Plumbing;
  /** DNS domain of guests. */
  readonly domain: string;
  /** Entropy for a guest's config drive, the same at each call. */
  readonly randomSeedOf: (serverId: string) => Uint8Array;
  /** What the operator tells guests, for config drives. */
  readonly vendorData: VendorData;
}

/** What this host puts at its commands' disposal. */
export function commandHost(deps: CommandHostDeps): CommandHost {
  const { driver, images, uploads, disks, plumbing, domain, randomSeedOf, vendorData } = deps;
  const socketPathOf =
    (serverId: string) =>
    (portId: string): string =>
      driver.interfaceSocketPath?.(serverId, portId) ?? "";
  const step = <T>(ctx: Ctx, name: string, fn: (ctx: Ctx) => Promise<T>): Promise<T> => {
    ctx.signal.throwIfAborted();
    return traced(ctx, name, {}, fn);
  };
  const specOf: CommandHost["specOf"] = async (ctx, instance, secrets, tell = untold, instead) => {
    const serverId = idOf(instance);
    const [rootImage, kernel] = await step(ctx, "agent.images", (c) =>
      prepareImages(c, images, imagesOf(instance.spec), tell, instead),
    );
    const documents = await step(ctx, "agent.vendor-data", (c) =>
      driveVendorData(c, vendorData, instance, secrets),
    );
    return toGuestSpec(instance, secrets, {
      domain,
      rootImage,
      kernel,
      socketPathOf: socketPathOf(serverId),
      randomSeed: randomSeedOf(serverId),
      vendorDocuments: documents,
    });
  };
  const plug: CommandHost["plug"] = (ctx, instance) =>
    step(ctx, "agent.plug", (c) => plumbing.plug(c, instance, socketPathOf(idOf(instance))));
  return {
    driver,
    specOf,
    plug,
    async makeReady(ctx, instance, anew) {
      await step(ctx, "agent.lost-images", (c) => restoreImages(c, { driver, images }, instance, anew));
      await plug(ctx, instance);
    },
    async define(ctx, instance, secrets, tell = untold) {
      const spec = await specOf(ctx, instance, secrets, tell);
      await step(ctx, "driver.define", (c) => driver.define(c, spec, tell));
    },
    async prepareRescue(ctx, instance, { image, kernel, ramdisk }, secrets, tell = untold) {
      const [root, [, boots]] = await step(ctx, "agent.images", (c) =>
        Promise.all([images.prepare(c, image, tell), prepareImages(c, images, { kernel, ramdisk }, tell)]),
      );
      const documents = await step(ctx, "agent.vendor-data", (c) =>
        driveVendorData(c, vendorData, instance, secrets),
      );
      return toRescueSpec(instance, secrets, {
        domain,
        image: root,
        kernel: boots,
        properties: image.properties,
        randomSeed: randomSeedOf(idOf(instance)),
        vendorDocuments: documents,
      });
    },
    cacheImage: (ctx, image) => step(ctx, "agent.images", (c) => images.cache(c, image)),
    uploadImage: (ctx, imageId, open, tell = untold) =>
      step(ctx, "agent.upload", (c) => uploads.upload(c, imageId, open, tell)),
    disksFrom: (guest) => (ctx, disk, fromByte) => disks.read(ctx, guest, disk, fromByte),
    unplug: (ctx, serverId) => step(ctx, "agent.unplug", (c) => plumbing.unplug(c, [], serverId)),
    plugPorts: (ctx, serverId, hostname, ports) => {
      const some = InstanceRecord.fromPartial({ server: { id: serverId, hostname }, ports: [...ports] });
      return step(ctx, "agent.plug", (c) => plumbing.plug(c, some, socketPathOf(serverId)));
    },
    unplugPorts: (ctx, serverId, portIds) => {
      const some = portIds.map((portId) => InstancePort.fromPartial({ portId }));
      return step(ctx, "agent.unplug", (c) => plumbing.unplug(c, some, serverId));
    },
    volumeOf: guestVolume,
    interfaceOf: (serverId, port) => toGuestInterface(port, socketPathOf(serverId)),
    powerState: async (ctx, serverId) =>
      powerStateOf[(await driver.inspect(ctx, serverId))?.powerState ?? "NOSTATE"],
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
