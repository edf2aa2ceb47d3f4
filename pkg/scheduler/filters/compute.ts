import { hostFilter } from "../domain/rules.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts that an operator disabled or forced down, and hosts whose lease is gone. @source nova
 * ComputeFilter
 */
export default hostFilter("ComputeFilter", {
  judge: (host) => {
    if (host.disabled) return refuse("HOST_DISABLED");
    if (host.forcedDown) return refuse("HOST_FORCED_DOWN");
    return host.up ? pass : refuse("HOST_DOWN");
  },
});
