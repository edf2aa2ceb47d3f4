import { hostWeigher } from "../domain/rules.js";

/** Avoids hosts on which builds failed lately, before anything else. @source nova BuildFailureWeigher */
export default hostWeigher("BuildFailureWeigher", {
  multiplierOption: "build_failure_weight_multiplier",
  multiplier: 1_000_000,
  raw: ({ failedBuilds }) => -failedBuilds,
});
