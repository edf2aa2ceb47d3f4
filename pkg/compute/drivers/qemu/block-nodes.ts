import { setTimeout as delay } from "node:timers/promises";
import { DriverErrors } from "../errors.js";
import { unlessRefused } from "./hot-device.js";
import { asArray, asObject } from "./qmp-client.js";
import type { QmpClient } from "./qmp-client.js";

const FREE_ATTEMPTS = 40;
const FREE_WAIT_MS = 25;

type Monitor = Pick<QmpClient, "execute">;

/** Size of a block node in bytes. @throws HYPERVISOR_FAILED when there is no such node */
export async function nodeSize(qmp: Monitor, node: string): Promise<number> {
  const found = (await blockNodes(qmp)).find((one) => one["node-name"] === node);
  const size = asObject(found?.["image"])["virtual-size"];
  if (typeof size !== "number") throw DriverErrors.HYPERVISOR_FAILED({ step: "tell a volume's size" });
  return size;
}

export const hasNode = async (qmp: Monitor, node: string): Promise<boolean> =>
  (await blockNodes(qmp)).some((one) => one["node-name"] === node);

/**
 * Removes a block node; none is success. QEMU tells that a device is gone before the last of it has gone.
 * @throws COMMAND_REFUSED when somebody still has it a second later
 */
export async function freeNode(qmp: Monitor, node: string): Promise<void> {
  for (let left = FREE_ATTEMPTS; await hasNode(qmp, node); left--) {
    const answer = qmp.execute("blockdev-del", { "node-name": node });
    await (left > 0 ? unlessRefused(answer) : answer);
    if (await hasNode(qmp, node)) await delay(FREE_WAIT_MS);
  }
}

const blockNodes = async (qmp: Monitor): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  asArray(await qmp.execute("query-named-block-nodes", { flat: true })).map(asObject);
