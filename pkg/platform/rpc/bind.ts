import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Caller, OperationRules } from "../../../gen/kilonova/type/v1/options.js";
import { encodeKnown, encodeMessage } from "./encode.js";
import { RpcErrors } from "./errors.js";
import { EncodedAnswer } from "./raw-field.js";
import { forgetUnknown } from "./unknown-fields.js";
import type {
  Handlers,
  MethodBinding,
  MethodDefinition,
  ServiceBinding,
  ServiceDefinition,
  UntypedHandler,
} from "./types.js";

const ALLOWED_CALLERS_FIELD = 50001;
const POLICY_RULES_FIELD = 50002;
const MAX_REQUEST_BYTES_FIELD = 50003;
const WAITS_FIELD = 50004;
const OPERATION_RULES_FIELD = 50005;
/** See options.proto. */
const USER_REQUEST_BYTES = 64 << 10;
const SERVICE_REQUEST_BYTES = 16 << 20;
const callerNames = new Map<number, string>(
  Object.entries(Caller).map(([name, value]) => [value, name.replace(/^CALLER_/, "").toLowerCase()]),
);

/** Joins a service's definition with what implements it. */
export function bindService<D extends ServiceDefinition>(
  definition: D,
  handlers: Handlers<D>,
): ServiceBinding {
  const binding = bindPart(definition, handlers);
  const missing = binding.methods.find(({ served }) => !served);
  if (missing) throw new Error(`${definition.fullName}/${missing.method} has no handler`);
  return binding;
}

/**
 * As `bindService` for a service that is served in part: its other methods answer UNIMPLEMENTED / NOT_SERVED
 * to whoever may call them.
 */
export function bindPart<D extends ServiceDefinition>(
  definition: D,
  handlers: Partial<Handlers<D>>,
): ServiceBinding {
  const methods = Object.entries(definition.methods).map(([key, method]) =>
    bindMethod(
      definition,
      method,
      (handlers as Record<string, UntypedHandler | undefined>)[key]?.bind(handlers),
    ),
  );
  return { definition, methods };
}

/**
 * Every service of a contract, in its order: those that are served, and those of which nothing is served yet.
 * @throws when something is served that the contract does not have, or twice
 */
export function bindContract(
  contract: readonly ServiceDefinition[],
  served: readonly ServiceBinding[],
): ServiceBinding[] {
  const byDefinition = new Map(served.map((binding) => [binding.definition, binding]));
  const extra = served.find(
    ({ definition }, index) =>
      !contract.includes(definition) ||
      served.findIndex((other) => other.definition === definition) !== index,
  );
  if (extra) throw new Error(`${extra.definition.fullName} is served twice or not part of the contract`);
  return contract.map((definition) => byDefinition.get(definition) ?? bindPart(definition, {}));
}

function bindMethod(
  definition: ServiceDefinition,
  method: MethodDefinition,
  handler: UntypedHandler | undefined,
): MethodBinding {
  const path = methodPath(definition, method);
  const callers = allowedCallers(method);
  const isPublic = callers.has("user") || callers.has("anyone");
  const encode = isPublic ? encodeKnown : encodeMessage;
  const maxRequestBytes =
    varint(method, MAX_REQUEST_BYTES_FIELD) || (isPublic ? USER_REQUEST_BYTES : SERVICE_REQUEST_BYTES);
  return {
    path,
    service: definition.fullName,
    method: method.name,
    served: handler !== undefined,
    streaming: method.responseStream,
    waits: method.responseStream || varint(method, WAITS_FIELD) === 1,
    maxRequestBytes,
    allowedCallers: callers,
    handler:
      handler ??
      (() => {
        throw RpcErrors.NOT_SERVED({ method: path.slice(1) });
      }),
    decodeRequest: (bytes) => {
      if (bytes.length > maxRequestBytes)
        throw RpcErrors.REQUEST_TOO_LARGE({
          method: method.name,
          bytes: bytes.length,
          limitBytes: maxRequestBytes,
        });
      try {
        const request = method.requestType.decode(bytes);
        return isPublic ? forgetUnknown(request) : request;
      } catch (cause) {
        throw RpcErrors.REQUEST_MALFORMED({ method: method.name }, { cause });
      }
    },
    encodeResponse: (message) =>
      message instanceof EncodedAnswer ? message.bytes : encode(method.responseType, message),
  };
}

export const methodPath = (definition: ServiceDefinition, method: MethodDefinition): string =>
  `/${definition.fullName}/${method.name}`;

/**
 * Reads `option (kilonova.type.v1.allowed_callers)` out of a method's options. ts-proto keeps options it does
 * not know as raw fields: key = tag, value = the field's bytes, here a length and packed enum numbers, or
 * single varints.
 */
function allowedCallers(method: MethodDefinition): ReadonlySet<string> {
  const raw = method.options._unknownFields ?? {};
  const names = new Set<string>();
  const packed = raw[(ALLOWED_CALLERS_FIELD << 3) | 2] ?? [];
  for (const bytes of packed) for (const value of bytes.subarray(1)) addName(names, value);
  const single = raw[ALLOWED_CALLERS_FIELD << 3] ?? [];
  for (const bytes of single) addName(names, bytes[0] ?? 0);
  return names;
}

/** Reads a number or a bool among a method's own options; 0 when it is not given. */
function varint(method: MethodDefinition, field: number): number {
  const bytes = method.options._unknownFields?.[field << 3]?.at(-1);
  return bytes ? new BinaryReader(bytes).uint32() : 0;
}

/** Reads `option (kilonova.type.v1.policy_rules)`: the rules that the method asks, the deciding one first. */
export function policyRules(method: MethodDefinition): readonly string[] {
  const raw = method.options._unknownFields?.[(POLICY_RULES_FIELD << 3) | 2] ?? [];
  return raw.map((bytes) => new BinaryReader(bytes).string());
}

/** Reads `option (kilonova.type.v1.operation_rules)`. */
export function operationRules(method: MethodDefinition): OperationRules {
  const number = varint(method, OPERATION_RULES_FIELD);
  return (
    Object.values(OperationRules).find((one) => one === number) ?? OperationRules.OPERATION_RULES_UNSPECIFIED
  );
}

function addName(names: Set<string>, value: number): void {
  const name = callerNames.get(value);
  if (name) names.add(name);
}
