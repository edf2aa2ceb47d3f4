import type { Policy } from "../../policy/index.js";
import type { EncodedAnswer, RequestOf, ResponseOf } from "../../platform/rpc/index.js";
import type { Handlers, ServiceBinding, ServiceDefinition } from "../../platform/rpc/index.js";
import { bindPart, bindService } from "../../platform/rpc/index.js";
import { publicContract } from "../contract.gen.js";
import { declaredRules } from "./declared-rules.js";
import type { Guarded, NovaAsked } from "./guarded.js";

type OpOf<M> = M extends { responseStream: true }
  ? Guarded<RequestOf<M>, AsyncIterable<ResponseOf<M>>>
  : Guarded<RequestOf<M>, ResponseOf<M>> | Guarded<RequestOf<M>, EncodedAnswer<ResponseOf<M>>>;
type Ops<D extends ServiceDefinition> = { readonly [K in keyof D["methods"]]: OpOf<D["methods"][K]> };
type NovaOpOf<M> =
  RequestOf<M> extends NovaAsked<infer Req>
    ? Guarded<Req, ResponseOf<M>> | Guarded<Req, EncodedAnswer<ResponseOf<M>>>
    : never;
type NovaOps<D extends ServiceDefinition> = { readonly [K in keyof D["methods"]]: NovaOpOf<D["methods"][K]> };
type AnyOp = Guarded<unknown, unknown>;

/** Joins methods with what implements them, and each with the rules that its proto declares. */
export interface Binder {
  /** All methods of a service. */
  whole<D extends ServiceDefinition>(definition: D, ops: Ops<D>): ServiceBinding;
  /** Some of them; the others answer NOT_SERVED. */
  part<D extends ServiceDefinition>(definition: D, ops: Partial<Ops<D>>): ServiceBinding;
  /** Public lists as the gateway asks them, each under the rules of the public method of its name. */
  nova<D extends ServiceDefinition>(definition: D, ops: NovaOps<D>): ServiceBinding;
}

/** The only way into the service: the declaration in the proto is what is enforced. */
export const behindPolicy = (policy: Policy): Binder => ({
  whole: (definition, ops) => bindService(definition, handlersOf(policy, definition, ops)),
  part: (definition, ops) => bindPart(definition, handlersOf(policy, definition, ops)),
  nova: (definition, ops) => {
    const handlers = Object.entries(ops as Readonly<Record<string, AnyOp>>).map(([key, op]) => [
      key,
      op.asNova(policy, declaredRules(key, publicMethod(key))),
    ]);
    return bindService(definition, Object.fromEntries(handlers) as Handlers<typeof definition>);
  },
});

function publicMethod(key: string): ServiceDefinition["methods"][string] {
  const found = publicContract.map(({ methods }) => methods[key]).find((method) => method !== undefined);
  if (found === undefined) throw new Error(`the public contract has no method ${key}`);
  return found;
}

function handlersOf<D extends ServiceDefinition>(
  policy: Policy,
  { fullName, methods }: D,
  ops: Partial<Ops<D>>,
): Handlers<D> {
  const handlers = Object.entries(ops as Readonly<Record<string, AnyOp>>).map(([key, op]) => {
    const method = methods[key];
    if (method === undefined) throw new Error(`${fullName} has no method ${key}`);
    const run = op.under(policy, declaredRules(`${fullName}/${method.name}`, method));
    return [key, method.responseStream ? streaming(run) : run];
  });
  return Object.fromEntries(handlers) as Handlers<D>;
}

type Run = ReturnType<AnyOp["under"]>;

const streaming = (run: Run) =>
  async function* stream(...call: Parameters<Run>): AsyncGenerator<unknown, void> {
    yield* (await run(...call)) as AsyncIterable<unknown>;
  };
