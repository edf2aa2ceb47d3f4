import type { DueDeps } from "../../../pkg/cells/operations/due.js";
import { quotaDesk } from "../../../pkg/cells/quota/settle-claims.js";
import { Stores } from "../../../pkg/cells/stores.js";
import { secretBox } from "../../../pkg/cells/store/secret-box.js";
import { catalogue } from "../../../pkg/model/operation-catalogue.js";
import { systemClock } from "../../../pkg/platform/process/clock.js";
import { systemIds } from "../../../pkg/platform/process/ids.js";
import type { Cloud } from "../../crash/cloud.js";

/** What the cells service of a cloud has when it acts by itself. */
export function dueDeps(cloud: Cloud, reclaimIntervalS = 0): DueDeps {
  const [global, ...cells] = cloud.stores;
  if (global === undefined) throw new Error("no global database");
  const plain = {
    clock: systemClock,
    ids: systemIds,
    box: secretBox([{ id: "test", key: Buffer.alloc(32, 7) }]),
    operations: catalogue,
    reclaimIntervalS,
  };
  return {
    ...plain,
    desk: quotaDesk(new Stores(global, cells), plain, {}),
    waker: { wake: (_ctx, database, name) => cloud.conductor.wake(database, name) },
  };
}
