import { Caller } from "../../../gen/kilonova/type/v1/options.js";
import type { Handlers, MethodBinding, MethodDefinition, ServiceBinding, ServiceDefinition, UntypedHandler } from "./types.js";

const ALLOWED_CALLERS_FIELD = 50001;
const callerNames = new Map<number, string>(Object.entries(Caller).map(([name, value]) => [value, name.replace(/^CALLER_/, "").toLowerCase()]));

/** Joins a service's definition with what implements it. */
export function bindService<D extends ServiceDefinition>(definition: D, handlers: Handlers<D>): ServiceBinding {
  const methods = Object.entries(definition.methods).map(([key, method]): MethodBinding => {
    const handler = (handlers as Record<string, UntypedHandler>)[key];
    if (!handler) throw new Error(`${definition.fullName}/${method.name} has no handler`);
    return {
      path: methodPath(definition, method),
      service: definition.fullName,
      method: method.name,
      streaming: method.responseStream,
      allowedCallers: allowedCallers(method),
      handler: handler.bind(handlers),
      decodeRequest: (bytes) => method.requestType.decode(bytes),
      encodeResponse: (message) => method.responseType.encode(message as never).finish(),
    };
  });
  return { definition, methods };
}

export const methodPath = (definition: ServiceDefinition, method: MethodDefinition): string => `/${definition.fullName}/${method.name}`;

/**
 * Reads `option (kilonova.type.v1.allowed_callers)` out of a method's options. ts-proto keeps options it does not know as raw
 * fields: key = tag, value = the field's bytes, here a length and packed enum numbers, or single varints.
 */
export function allowedCallers(method: MethodDefinition): ReadonlySet<string> {
  const raw = method.options._unknownFields ?? {};
  const names = new Set<string>();
  const packed = raw[(ALLOWED_CALLERS_FIELD << 3) | 2] ?? [];
  for (const bytes of packed) for (const value of bytes.subarray(1)) addName(names, value);
  const single = raw[ALLOWED_CALLERS_FIELD << 3] ?? [];
  for (const bytes of single) addName(names, bytes[0] ?? 0);
  return names;
}

function addName(names: Set<string>, value: number): void {
  const name = callerNames.get(value);
  if (name) names.add(name);
}
