import { DriverErrors } from "../errors.js";
import { asArray, asObject } from "./qmp-client.js";
import type { QmpClient } from "./qmp-client.js";

/** Size of a block node in bytes. @throws HYPERVISOR_FAILED when there is no such node */
export async function nodeSize(qmp: Pick<QmpClient, "execute">, node: string): Promise<number> {
  const nodes = asArray(await qmp.execute("query-named-block-nodes", { flat: true })).map(asObject);
  const size = asObject(nodes.find((one) => one["node-name"] === node)?.["image"])["virtual-size"];
  if (typeof size !== "number") throw DriverErrors.HYPERVISOR_FAILED({ step: "tell a volume's size" });
  return size;
}
