import { FlavorSortField, FlavorVisibility } from "../../../../gen/kilonova/api/v1/flavors_service.js";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { booleanOf, numberOf, textOf } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { directionOf } from "../../http/paging.js";
import { last } from "../../http/query.js";
import { booleanWord } from "../../http/words.js";
import { orNone } from "../../../model/presence.js";

/** The flavor that a create body describes. */
export function flavorOfBody(body: JsonObject): Flavor {
  const description = textOf(body, "description");
  return Flavor.fromPartial({
    id: textOf(body, "id") ?? "",
    name: textOf(body, "name") ?? "",
    description,
    memoryMib: numberOf(body, "ram") ?? 0,
    vcpus: numberOf(body, "vcpus") ?? 0,
    rootGib: numberOf(body, "disk") ?? 0,
    ephemeralGib: numberOf(body, "OS-FLV-EXT-DATA:ephemeral") ?? 0,
    swapMib: numberOf(body, "swap") ?? 0,
    rxtxFactor: numberOf(body, "rxtx_factor") ?? 1,
    isPublic: booleanOf(body, "os-flavor-access:is_public") ?? true,
  });
}

/** REST names columns. */
export const sortFields: ReadonlyMap<string, FlavorSortField> = new Map(
  Object.entries({
    created_at: FlavorSortField.FLAVOR_SORT_FIELD_CREATED_AT,
    description: FlavorSortField.FLAVOR_SORT_FIELD_DESCRIPTION,
    disabled: FlavorSortField.FLAVOR_SORT_FIELD_DISABLED,
    ephemeral_gb: FlavorSortField.FLAVOR_SORT_FIELD_EPHEMERAL_GIB,
    flavorid: FlavorSortField.FLAVOR_SORT_FIELD_ID,
    id: FlavorSortField.FLAVOR_SORT_FIELD_ID,
    is_public: FlavorSortField.FLAVOR_SORT_FIELD_IS_PUBLIC,
    memory_mb: FlavorSortField.FLAVOR_SORT_FIELD_MEMORY_MIB,
    name: FlavorSortField.FLAVOR_SORT_FIELD_NAME,
    root_gb: FlavorSortField.FLAVOR_SORT_FIELD_ROOT_GIB,
    rxtx_factor: FlavorSortField.FLAVOR_SORT_FIELD_RXTX_FACTOR,
    swap: FlavorSortField.FLAVOR_SORT_FIELD_SWAP_MIB,
    updated_at: FlavorSortField.FLAVOR_SORT_FIELD_UPDATED_AT,
    vcpu_weight: FlavorSortField.FLAVOR_SORT_FIELD_VCPUS,
    vcpus: FlavorSortField.FLAVOR_SORT_FIELD_VCPUS,
  }),
);

/**
 * Which flavors, in which order.
 * @throws BAD_REQUEST for words and numbers that the schema lets pass as text
 */
export function listOf(request: ApiRequest) {
  const { query } = request;
  const field = sortFields.get(last(query, "sort_key") ?? "flavorid") ?? FlavorSortField.FLAVOR_SORT_FIELD_ID;
  return {
    visibility: visibilityOf(request),
    minMemoryMib: wholeNumber(last(query, "minRam"), "minRam"),
    minRootGib: wholeNumber(last(query, "minDisk"), "minDisk"),
    name: orNone(last(query, "name")),
    sort: [{ field, direction: directionOf(last(query, "sort_dir") ?? "asc") }],
  };
}

/** Only administrators choose; for others the parameter does not exist, whatever it says. */
function visibilityOf(request: ApiRequest): FlavorVisibility {
  const word = last(request.query, "is_public");
  if (!request.isAdmin || word === undefined) return FlavorVisibility.FLAVOR_VISIBILITY_PUBLIC;
  if (word.toLowerCase() === "none") return FlavorVisibility.FLAVOR_VISIBILITY_ALL;
  const isPublic = booleanWord(word);
  if (isPublic === undefined)
    throw GatewayErrors.BAD_REQUEST({ message: `Invalid is_public filter [${word}]` });
  return isPublic ? FlavorVisibility.FLAVOR_VISIBILITY_PUBLIC : FlavorVisibility.FLAVOR_VISIBILITY_PRIVATE;
}

function wholeNumber(text: string | undefined, parameter: string): number {
  if (text === undefined) return 0;
  const value = Number(text.trim());
  if (text.trim() === "" || !Number.isInteger(value))
    throw GatewayErrors.BAD_REQUEST({ message: `Invalid ${parameter} filter [${text}]` });
  return Math.min(Math.max(0, value), 2 ** 32 - 1);
}
