import { GuestOutput, ImportGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { LeavingDisk as LeavingDiskMessage } from "../../../gen/kilonova/compute/v1/commands.js";
import { CommonErrors } from "../../kernel/index.js";
import type { ImagePhase, LeavingDisk, MovePhase, PreparedImage } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import destroyGuest from "./destroy-guest.js";
import { giveVolumes } from "./give-volumes.js";
import { recordOf } from "./record-of.js";

/** Names of the images below the root disk and of what the guest boots with, among what is offered. */
const OFFERED_AS = { image: "base", kernel: "kernel", ramdisk: "ramdisk" } as const;

/**
 * Fetches a guest's disks from the host that it leaves, defines it here and connects its volumes, without
 * starting it. The image below its root disk comes from the Image service, and so do its kernel and RAM disk;
 * what that has no more is not here, and comes along when it is offered with the disks.
 */
const importGuest: Command<ImportGuestInput, GuestOutput, ImagePhase | MovePhase, "importDisks"> = {
  name: "import-guest",
  input: ImportGuestInput,
  output: GuestOutput,
  capability: { name: "move", methods: ["importDisks"] },
  progress: { image_download: 15, image_conversion: 10, disk_move: 75 },
  whenGivenUp: "stops",
  undo: undoneBy(destroyGuest, () => ({})),
  async run({ ctx, serverId, host, tell }, input) {
    const { instance, secrets, transferId } = input;
    const record = recordOf(serverId, instance);
    const volumes = input.volumes.map((device) => host.volumeOf(device));
    const disks = input.disks.map(diskOf);
    const offered = (of: keyof typeof OFFERED_AS): PreparedImage | undefined => {
      const disk = disks.find(({ name }) => name === OFFERED_AS[of]);
      const imageId = record.spec?.[of]?.id ?? "";
      return disk && { imageId, path: "", virtualSizeBytes: disk.sizeBytes };
    };
    const spec = await host.specOf(ctx, record, secrets, tell, {
      image: offered("image"),
      kernel: offered("kernel"),
      ramdisk: offered("ramdisk"),
    });
    const open = host.disksFrom({ serverId, transferId, host: input.fromHost, address: input.fromAddress });
    await part(ctx, "driver.importDisks", async (c) =>
      host.driver.importDisks(c, spec, { transferId, disks, open }, tell),
    );
    await giveVolumes(ctx, host.driver, serverId, volumes);
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default importGuest;

/** @throws INVALID_ARGUMENT */
function diskOf({ name, format, sizeBytes, dataBytes }: LeavingDiskMessage): LeavingDisk {
  if (format !== "qcow2" && format !== "raw")
    throw CommonErrors.INVALID_ARGUMENT({ field: "input.disks", problem: "a format is not known" });
  return { name, format, sizeBytes: Number(sizeBytes), dataBytes: Number(dataBytes) };
}
