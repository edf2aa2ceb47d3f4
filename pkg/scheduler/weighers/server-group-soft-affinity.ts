import { hostWeigher } from "../domain/rules.js";
import { membersOn } from "../domain/groups.js";

/** Prefers hosts with more members of a soft-affinity group. @source nova ServerGroupSoftAffinityWeigher */
export default hostWeigher("ServerGroupSoftAffinityWeigher", {
  multiplierOption: "soft_affinity_weight_multiplier",
  multiplier: 1,
  raw: (host, { group }) => (group?.policy === "soft-affinity" ? membersOn(host, group) : 0),
});
