import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts that an operator disabled or forced down, and hosts whose lease is gone. @source nova
 * ComputeFilter
 */
export default hostFilter("ComputeFilter", {
  tellings: {
    HOST_DISABLED: tells("disabled by the operator"),
    HOST_FORCED_DOWN: tells("taken out of service by the operator"),
    HOST_DOWN: tells("down"),
  },
  judge: (host) => {
    if (host.disabled) return refuse("HOST_DISABLED");
    if (host.forcedDown) return refuse("HOST_FORCED_DOWN");
    return host.up ? pass : refuse("HOST_DOWN");
  },
});
