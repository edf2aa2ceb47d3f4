import { hostWeigher } from "../domain/rules.js";

/** Prefers hosts with more free disk. @source nova DiskWeigher */
export default hostWeigher("DiskWeigher", {
  multiplierOption: "disk_weight_multiplier",
  multiplier: 1,
  floor: 0,
  raw: ({ diskGib }) => diskGib.capacity - diskGib.used,
});
