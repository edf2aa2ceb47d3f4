import { hostWeigher } from "../domain/rules.js";

/** Prefers hosts with more free memory. @source nova RAMWeigher */
export default hostWeigher("RAMWeigher", {
  multiplierOption: "ram_weight_multiplier",
  multiplier: 1,
  floor: 0,
  raw: ({ memoryMib }) => memoryMib.capacity - memoryMib.used,
});
