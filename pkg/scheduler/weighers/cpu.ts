import { hostWeigher } from "../domain/rules.js";

/** Prefers hosts with more free CPUs. @source nova CPUWeigher */
export default hostWeigher("CPUWeigher", {
  multiplierOption: "cpu_weight_multiplier",
  multiplier: 1,
  floor: 0,
  raw: ({ vcpus }) => vcpus.capacity - vcpus.used,
});
