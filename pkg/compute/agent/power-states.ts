import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { GuestState } from "../driver.js";

/** The hypervisor's words as the contract's. */
export const powerStateOf: Readonly<Record<GuestState["powerState"], PowerState>> = {
  NOSTATE: PowerState.POWER_STATE_NOSTATE,
  RUNNING: PowerState.POWER_STATE_RUNNING,
  PAUSED: PowerState.POWER_STATE_PAUSED,
  SHUTDOWN: PowerState.POWER_STATE_SHUTDOWN,
  CRASHED: PowerState.POWER_STATE_CRASHED,
  SUSPENDED: PowerState.POWER_STATE_SUSPENDED,
};
