import { aggregateValues } from "../domain/host-view.js";
import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts whose aggregates name other flavors in `instance_type`. @source nova
 * AggregateTypeAffinityFilter
 */
export default hostFilter("AggregateTypeAffinityFilter", {
  tellings: { OTHER_FLAVORS_ONLY: tells(({ flavor }) => `not open to flavor ${flavor}`) },
  judge: (host, { flavorName }) => {
    const lists = aggregateValues(host, "instance_type").map((value) =>
      value.split(",").map((one) => one.trim()),
    );
    return lists.every((names) => names.includes(flavorName))
      ? pass
      : refuse("OTHER_FLAVORS_ONLY", { flavor: flavorName });
  },
});
