import { hostWeigher } from "../domain/rules.js";

/** Prefers newer hypervisors. @source nova HypervisorVersionWeigher */
export default hostWeigher("HypervisorVersionWeigher", {
  multiplierOption: "hypervisor_version_weight_multiplier",
  multiplier: 1,
  raw: ({ hypervisorVersion }) => hypervisorVersion,
});
