import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { canonicalImageProperties } from "../../model/image-properties.js";
import type { PreparedImage, RescueSpec, StableRescue } from "../driver.js";
import type { ConfigDriveOptions, PreparedKernel } from "./instance-guest.js";
import { configDriveOf, hardwareOf, kernelOf } from "./instance-guest.js";

/**
 * Record and prepared rescue image → what the driver is told. The config drive is the server's own, with the
 * password of the rescue. A kernel is the rescue image's own.
 * @source nova libvirt: rescue, check_hw_rescue_props; differs: there an instance's kernel also boots other
 *   images than its own, and a stable device rescue keeps the old config drive
 */
export function toRescueSpec(
  instance: InstanceRecord,
  secrets: ServerSecrets | undefined,
  options: ConfigDriveOptions & {
    readonly image: PreparedImage;
    readonly kernel: PreparedKernel | undefined;
    /** Of the rescue image. */
    readonly properties: ReadonlyMap<string, string>;
  },
): RescueSpec {
  const properties = canonicalImageProperties(options.properties);
  return {
    image: options.image,
    kernel: kernelOf(options.kernel, properties),
    configDrive: configDriveOf(instance, secrets, options),
    hardware: hardwareOf(properties),
    stable: stableOf(properties),
  };
}

/** Either property asks for it. */
function stableOf(properties: ReadonlyMap<string, string>): StableRescue | undefined {
  const device = properties.get("hw_rescue_device");
  const bus = properties.get("hw_rescue_bus");
  return device === undefined && bus === undefined ? undefined : { device: device ?? "disk", bus };
}
