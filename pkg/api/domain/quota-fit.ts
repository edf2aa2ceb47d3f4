import type { QuotaLimit } from "../../../gen/kilonova/cells/v1/global_service.js";

/** Resources for which the quota does not allow so many servers more, by name. */
export function exceededBy(
  limits: readonly QuotaLimit[],
  servers: number,
  { vcpus, memoryMib }: { readonly vcpus: number; readonly memoryMib: number },
): string[] {
  const wanted = new Map([
    ["instances", servers],
    ["cores", servers * vcpus],
    ["ram", servers * memoryMib],
  ]);
  return limits
    .filter(
      ({ resource, limit, used }) =>
        limit >= 0n && wanted.has(resource) && used + BigInt(wanted.get(resource) ?? 0) > limit,
    )
    .map(({ resource }) => resource)
    .sort();
}
