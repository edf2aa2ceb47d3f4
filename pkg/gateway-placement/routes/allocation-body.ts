import { parseUuid } from "../../kernel/ids.js";
import { RestErrors } from "../errors.js";
import { bodyOf, classSchema, generationOf, uuidSchema } from "../validate.js";

type Amounts = Readonly<Record<string, number>>;
interface ListEntry {
  readonly resource_provider: { readonly uuid: string };
  readonly resources: Amounts;
}
type MapEntries = Readonly<Record<string, { readonly resources: Amounts }>>;

export interface AllocationsBody {
  readonly allocations: readonly ListEntry[] | MapEntries;
  readonly project_id?: string;
  readonly user_id?: string;
  readonly consumer_generation?: number | null;
  readonly consumer_type?: string;
}

const resources = {
  type: "object",
  minProperties: 1,
  patternProperties: { [classSchema.pattern]: { type: "integer", minimum: 1, maximum: 2_147_483_647 } },
  additionalProperties: false,
} as const;
const owner = { type: "string", minLength: 1, maxLength: 255 } as const;
const list = {
  type: "array",
  minItems: 1,
  items: {
    type: "object",
    required: ["resource_provider", "resources"],
    additionalProperties: false,
    properties: {
      resources,
      resource_provider: {
        type: "object",
        required: ["uuid"],
        additionalProperties: false,
        properties: { uuid: uuidSchema },
      },
    },
  },
} as const;
const map = (minProperties: number): Readonly<Record<string, unknown>> => ({
  type: "object",
  minProperties,
  additionalProperties: false,
  patternProperties: {
    [uuidSchema.pattern]: {
      type: "object",
      required: ["resources"],
      additionalProperties: false,
      properties: { resources, generation: { type: "integer" } },
    },
  },
});

/**
 * The body of one consumer at a minor version; `many` for POST, where nothing at all may be allocated from
 * the start.
 */
export function allocationsSchema(minor: number, many: boolean): Readonly<Record<string, unknown>> {
  const properties: Record<string, unknown> = {
    allocations: minor < 12 ? list : map(minor >= 28 || many ? 0 : 1),
  };
  const required = ["allocations"];
  if (minor >= 8) {
    Object.assign(properties, { project_id: owner, user_id: owner });
    required.push("project_id", "user_id");
  }
  if (minor >= 28) {
    properties["consumer_generation"] = { type: ["integer", "null"] };
    required.push("consumer_generation");
  }
  if (minor >= 34)
    properties["mappings"] = {
      type: "object",
      minProperties: 1,
      patternProperties: { "[A-Za-z0-9_-]{1,64}": { type: "array", minItems: 1, items: uuidSchema } },
    };
  if (minor >= 38) {
    properties["consumer_type"] = { type: "string", pattern: "^[A-Z0-9_]+$", minLength: 1, maxLength: 255 };
    required.push("consumer_type");
  }
  return { type: "object", properties, required, additionalProperties: false };
}

/** The project and user of consumers written below 1.8. */
const INCOMPLETE = "00000000-0000-0000-0000-000000000000";

export function consumerMessage(consumerId: string, body: AllocationsBody, minor: number) {
  const entries: (readonly [string, Amounts])[] = Array.isArray(body.allocations)
    ? (body.allocations as readonly ListEntry[]).map((one) => [one.resource_provider.uuid, one.resources])
    : Object.entries(body.allocations as MapEntries).map(([id, one]) => [id, one.resources]);
  return {
    consumerId,
    projectId: body.project_id ?? INCOMPLETE,
    userId: body.user_id ?? INCOMPLETE,
    consumerType: body.consumer_type ?? "",
    ...(minor < 28
      ? { ignoreConsumerGeneration: true }
      : body.consumer_generation === null || body.consumer_generation === undefined
        ? {}
        : { consumerGeneration: generationOf(body.consumer_generation) }),
    allocations: entries.map(([id, amounts]) => ({
      providerId: parseUuid(id) ?? id,
      resources: new Map(Object.entries(amounts).map(([name, amount]) => [name, BigInt(amount)])),
    })),
  };
}

/** @throws BODY_INVALID for a consumer that is no UUID */
export function consumerIdOf(text: string): string {
  const id = parseUuid(text);
  if (id === undefined) throw RestErrors.BODY_INVALID({ problem: `malformed consumer uuid ${text}` });
  return id;
}

/** Compiled once per minor version. */
export function perMinor<T>(
  schema: (minor: number) => Readonly<Record<string, unknown>>,
): (minor: number, body: unknown) => T {
  const compiled = new Map<number, (body: unknown) => T>();
  return (minor, body) => {
    let check = compiled.get(minor);
    if (check === undefined) compiled.set(minor, (check = bodyOf<T>(schema(minor))));
    return check(body);
  };
}
