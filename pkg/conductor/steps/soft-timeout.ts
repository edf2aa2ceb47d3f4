import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ports } from "../ports.js";

/** Milliseconds that an image asks for (`os_shutdown_timeout` is in seconds), or the deployment's. */
export function softTimeoutMs(
  { spec }: InstanceRecord,
  { softTimeoutMs: usual }: Pick<Ports, "softTimeoutMs">,
): number {
  const property = spec?.image?.properties.get("os_shutdown_timeout");
  const seconds = Number(property);
  return property !== undefined && property !== "" && Number.isInteger(seconds) && seconds >= 0
    ? seconds * 1000
    : usual;
}
