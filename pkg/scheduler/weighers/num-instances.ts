import { hostWeigher } from "../domain/rules.js";

/** Weighs the number of instances; off by default. @source nova NumInstancesWeigher */
export default hostWeigher("NumInstancesWeigher", {
  multiplierOption: "num_instances_weight_multiplier",
  multiplier: 0,
  raw: ({ instances }) => instances.size,
});
