import { aggregateValues } from "../domain/host-view.js";
import { satisfies } from "../domain/operators.js";
import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

const SCOPE = "aggregate_instance_extra_specs";

/**
 * Refuses hosts whose aggregates do not have what the flavor's extra specs ask for: unscoped keys and those
 * of the scope `aggregate_instance_extra_specs`. Values of several aggregates are united, comma lists split.
 * @source nova AggregateInstanceExtraSpecsFilter
 */
export default hostFilter("AggregateInstanceExtraSpecsFilter", {
  tellings: {
    METADATA_MISSING: tells(({ key, needed }) => `not set up for flavors with ${key}=${needed}`),
    METADATA_DIFFERS: tells(({ key, needed }) => `not set up for flavors with ${key}=${needed}`, ["have"]),
  },
  judge: (host, { extraSpecs }) => {
    for (const [scoped, wanted] of extraSpecs) {
      const parts = scoped.split(":");
      if (parts.length > 1 && parts[0] !== SCOPE) continue;
      const key = parts.length > 1 ? parts.slice(1).join(":") : scoped;
      const values = aggregateValues(host, key).flatMap((value) => value.split(",").map((one) => one.trim()));
      if (values.length === 0) return refuse("METADATA_MISSING", { key, needed: wanted });
      if (!values.some((value) => satisfies(value, wanted)))
        return refuse("METADATA_DIFFERS", { key, needed: wanted, have: values.join(",") });
    }
    return pass;
  },
});
