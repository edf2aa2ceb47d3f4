import type { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { imageBlockDevices } from "../../model/image-block-devices.js";
import { TaskState } from "../../model/instance-states.js";
import { done, retry } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { theSnapshots } from "./snapshot-volumes.js";
import { devicesOf } from "./volume-devices.js";

/**
 * Has the image name the snapshots, and makes it active without data, as Nova does: `size` is 0. Boots from
 * it get volumes of the snapshots.
 */
export const nameSnapshots = ({
  images,
  records,
}: Pick<Ports, "images" | "records">): Step<CreateImageInput> => ({
  name: "name-snapshots",
  unfenced: true,
  event: "",
  taskState: TaskState.imageUploading,
  timeoutMs: 600_000,
  async run(call) {
    const { ctx, input, server, outputs } = call;
    const { status } = await images.getImage(ctx, input.imageId);
    if (status === "active") return done();
    // A start that was cut short is still at it.
    if (status !== "queued") return retry(LOOK_AGAIN_MS);
    const devices = await devicesOf(call, { records });
    const mapping = imageBlockDevices(devices, outputs.get(theSnapshots).snapshots);
    const root = server.hostInfo?.rootDeviceName ?? "";
    await images.updateImage(ctx, input.imageId, [
      { op: "set", name: "block_device_mapping", value: mapping },
      // As Nova writes a flag of an image.
      { op: "set", name: "bdm_v2", value: "True" },
      ...(root === "" ? [] : [{ op: "set" as const, name: "root_device_name", value: root }]),
      { op: "set", name: "disk_format", value: "raw" },
      { op: "set", name: "container_format", value: "bare" },
    ]);
    await images.upload(ctx, input.imageId, nothing());
    return done();
  },
});

const LOOK_AGAIN_MS = 1_000;

async function* nothing(): AsyncGenerator<Uint8Array> {}
