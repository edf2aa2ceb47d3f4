import type { Ctx, Peer } from "../../kernel/index.js";
import { CommonErrors, follow, raceAbort } from "../../kernel/index.js";
import { carrierOf } from "./carrier.js";
import type { PipelineOptions } from "./pipeline.js";
import { RpcErrors } from "./errors.js";
import { Pipeline } from "./pipeline.js";
import { methodPath } from "./bind.js";
import { encodeRequest } from "./encode.js";
import { fromWireStatus, toWireStatus } from "./status.js";
import type {
  Channel,
  Client,
  MethodBinding,
  MethodDefinition,
  ServiceBinding,
  ServiceDefinition,
} from "./types.js";

/**
 * The network inside one process: servers listen on names instead of ports. Messages are encoded and decoded,
 * errors cross as status details, deadlines and cancellation work as over HTTP/2, so that code cannot tell
 * the difference. Traces can: a call is one span, the server's, where HTTP/2 has a client's around it, since
 * nothing can happen in between.
 */
export class LocalNetwork {
  readonly #pipeline: Pipeline;
  readonly #servers = new Map<string, Map<string, MethodBinding>>();

  constructor(options: PipelineOptions) {
    this.#pipeline = new Pipeline(options);
  }

  /** @throws when somebody listens there already */
  listen(address: string, bindings: readonly ServiceBinding[]): { close(): void } {
    if (this.#servers.has(address)) throw new Error(`local address ${address} is taken`);
    this.#servers.set(address, new Map(bindings.flatMap((b) => b.methods.map((m) => [m.path, m]))));
    return {
      close: () => {
        this.#servers.delete(address);
      },
    };
  }

  /**
   * Opens a way to an address; nobody needs to listen there yet. @param as who the server will see as its
   * peer
   */
  connect(address: string, as: Peer): Channel {
    return {
      client: (definition) =>
        makeClient(definition, (method) => ({
          unary: (ctx, request) => this.#unary(address, as, definition, method, ctx, request),
          stream: (ctx, request) => this.#stream(address, as, definition, method, ctx, request),
        })),
      close: async () => {},
    };
  }

  #find(address: string, definition: ServiceDefinition, method: MethodDefinition): MethodBinding {
    const server = this.#servers.get(address);
    if (!server) throw CommonErrors.UNAVAILABLE({ what: address });
    const binding = server.get(methodPath(definition, method));
    if (!binding) throw RpcErrors.UNKNOWN_METHOD({ method: methodPath(definition, method) });
    return binding;
  }

  async #unary(
    address: string,
    as: Peer,
    definition: ServiceDefinition,
    method: MethodDefinition,
    ctx: Ctx,
    request: unknown,
  ): Promise<unknown> {
    const binding = this.#find(address, definition, method);
    try {
      const bytes = encodeRequest(method.requestType, request);
      // The pipeline ends the call when the signal does.
      const answer = binding.encodeResponse(
        await this.#pipeline.unary(
          { binding, carrier: carrierOf(ctx, definition.fullName), peer: as, signal: ctx.signal },
          binding.decodeRequest(bytes),
        ),
      );
      return method.responseType.decode(answer);
    } catch (error) {
      throw crossed(error);
    }
  }

  async *#stream(
    address: string,
    as: Peer,
    definition: ServiceDefinition,
    method: MethodDefinition,
    ctx: Ctx,
    request: unknown,
  ): AsyncGenerator<unknown> {
    const binding = this.#find(address, definition, method);
    const stop = new AbortController();
    const leave = follow(stop, ctx.signal);
    const call = { binding, carrier: carrierOf(ctx, definition.fullName), peer: as, signal: stop.signal };
    let messages: AsyncGenerator<unknown> | undefined;
    try {
      const bytes = encodeRequest(method.requestType, request);
      messages = this.#pipeline.stream(call, binding.decodeRequest(bytes));
      for (;;) {
        const next = await raceAbort(messages.next(), stop.signal);
        if (next.done) return;
        yield method.responseType.decode(binding.encodeResponse(next.value));
      }
    } catch (error) {
      throw crossed(error);
    } finally {
      leave();
      stop.abort();
      void messages?.return(undefined).catch(() => {});
    }
  }
}

/** An error as it would arrive from another process. */
function crossed(error: unknown): unknown {
  const { code, message, details } = toWireStatus(error);
  return fromWireStatus(code, message, details);
}

interface Calls {
  unary(ctx: Ctx, request: unknown): Promise<unknown>;
  stream(ctx: Ctx, request: unknown): AsyncIterable<unknown>;
}

/** Builds the typed client object of a service over any transport. */
export function makeClient<D extends ServiceDefinition>(
  definition: D,
  calls: (method: MethodDefinition) => Calls,
): Client<D> {
  const client: Record<string, unknown> = {};
  for (const [key, method] of Object.entries(definition.methods)) {
    const { unary, stream } = calls(method);
    client[key] = method.responseStream ? stream : unary;
  }
  return client as Client<D>;
}
