import { Ajv } from "ajv";
import type { JSONSchemaType } from "ajv";
import { RestErrors } from "./errors.js";

const ajv = new Ajv({ allErrors: false, strict: true, allowUnionTypes: true });

/** Compiles a body schema once. The returned check gives the body its type. @throws BODY_INVALID */
export function bodyOf<T>(
  schema: JSONSchemaType<T> | Readonly<Record<string, unknown>>,
): (body: unknown) => T {
  const validate = ajv.compile<T>(schema as JSONSchemaType<T>);
  return (body) => {
    if (validate(body)) return body;
    const [error] = validate.errors ?? [];
    throw RestErrors.BODY_INVALID({
      problem:
        `${error?.instancePath ?? ""} ${error?.message ?? ""}${error?.params["additionalProperty"] ? `: ${String(error.params["additionalProperty"])}` : ""}`.trim(),
    });
  };
}

const integer = (minimum: number) => ({ type: "integer", minimum, maximum: 2_147_483_647 }) as const;

/** Any form of UUID that OpenStack takes. */
export const uuidSchema = {
  type: "string",
  pattern: "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$",
} as const;
export const classSchema = { type: "string", pattern: "^[A-Z0-9_]+$", maxLength: 255 } as const;
export const generationSchema = { type: "integer" } as const;
const MOST = 2n ** 63n - 1n;

/** A generation as messages carry it. None is negative or beyond 63 bits: another that nobody has will do. */
export function generationOf(value: number): bigint {
  const exact = BigInt(value);
  return exact < 0n || exact > MOST ? MOST : exact;
}

export const inventoryProperties = {
  total: integer(1),
  reserved: integer(0),
  min_unit: integer(1),
  max_unit: integer(1),
  step_size: integer(1),
  allocation_ratio: { type: "number", maximum: 3.40282e38 },
} as const;

export interface InventoryBody {
  readonly total: number;
  readonly reserved?: number;
  readonly min_unit?: number;
  readonly max_unit?: number;
  readonly step_size?: number;
  readonly allocation_ratio?: number;
}

const inventorySchema = {
  type: "object",
  properties: inventoryProperties,
  required: ["total"],
  additionalProperties: false,
} as const;

export const inventoriesSchema = {
  type: "object",
  properties: {
    resource_provider_generation: generationSchema,
    inventories: {
      type: "object",
      patternProperties: { "^[A-Z0-9_]+$": inventorySchema },
      additionalProperties: false,
    },
  },
  required: ["resource_provider_generation", "inventories"],
  additionalProperties: false,
} as const;
