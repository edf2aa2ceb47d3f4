import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

const KEY = "filter_tenant_id";

/**
 * Refuses hosts whose aggregates are reserved (`filter_tenant_id*`) for other projects. @source nova
 * AggregateMultiTenancyIsolation
 */
export default hostFilter("AggregateMultiTenancyIsolation", {
  tellings: { RESERVED_FOR_OTHERS: tells("reserved for other projects") },
  judge: (host, { projectId }) => {
    const allowed = host.aggregates
      .flatMap(({ metadata }) => [...metadata])
      .filter(([key]) => key.startsWith(KEY))
      .flatMap(([, value]) => value.split(",").map((one) => one.trim()));
    return allowed.length === 0 || allowed.includes(projectId) ? pass : refuse("RESERVED_FOR_OTHERS");
  },
});
