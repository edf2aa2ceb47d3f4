import { hostWeigher } from "../domain/rules.js";

/** Prefers hosts with fewer I/O-heavy operations in flight. @source nova IoOpsWeigher */
export default hostWeigher("IoOpsWeigher", {
  multiplierOption: "io_ops_weight_multiplier",
  multiplier: -1,
  floor: 0,
  raw: ({ ioOps }) => ioOps,
});
