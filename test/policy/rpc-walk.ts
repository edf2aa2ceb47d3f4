import { publicContract } from "../../pkg/api/contract.gen.js";
import { as } from "../../pkg/api/testing/an-api.js";
import type { ServiceDefinition } from "../../pkg/platform/rpc/index.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { caller } from "./callers.js";
import type { Case, Outcome } from "./case.js";
import { printOf, refusedBy } from "./case.js";
import type { RpcExpected } from "./rpc-cases.js";
import { rpcExpected } from "./rpc-cases.js";
import type { World } from "./world.js";
import { SERVER, aServer } from "./world.js";

type Ask = (ctx: unknown, request: unknown) => Promise<unknown> & AsyncIterable<Happened>;
interface Happened {
  readonly server?: unknown;
}

interface Method {
  readonly definition: ServiceDefinition;
  readonly key: string;
  readonly method: ServiceDefinition["methods"][string];
}

/** Methods of the contract by their short names. */
export const methods = new Map<string, Method>(
  publicContract.flatMap((definition) =>
    Object.entries(definition.methods).map(
      ([key, method]) =>
        [
          `${definition.fullName.replace("kilonova.api.v1.", "")}/${method.name}`,
          { definition, key, method },
        ] as const,
    ),
  ),
);

/** Calls as the gateway calls: with the caller as it found him. */
export const rpcCases: readonly Case[] = rpcExpected.map((expected) => ({
  ...expected,
  name: expected.form === undefined ? expected.method : `${expected.method} (${expected.form})`,
  run: (world, callerName) => outcomeOf(call(world, expected, callerName)),
}));

/** The domain's own words for two rights that Nova also refuses in words of its own. */
const ENDS: Readonly<Record<string, string>> = {
  ZERO_DISK_FLAVOR: refusedBy("os_compute_api:servers:create:zero_disk_flavor"),
  EXTERNAL_NETWORK: refusedBy("network:attach_external_network"),
};

async function outcomeOf(answer: Promise<unknown>): Promise<Outcome> {
  try {
    return { end: "done", print: printOf(await answer) };
  } catch (error) {
    if (!(error instanceof KilonovaError)) throw error;
    return { end: endOf(error), print: error.message };
  }
}

function endOf({ kind, reason, facts, message }: KilonovaError): string {
  if (reason === "FORBIDDEN" && kind === "forbidden") return refusedBy(facts["rule"] ?? "");
  if (kind === "missing") return "missing";
  return ENDS[reason] ?? `${reason}: ${message}`;
}

function call({ api }: World, { method, request }: RpcExpected, callerName: string): Promise<unknown> {
  const found = methods.get(method);
  if (found === undefined) throw new Error(`the contract has no ${method}`);
  const ask = (api.channel.client(found.definition) as Readonly<Record<string, Ask>>)[found.key];
  if (ask === undefined) throw new Error(`no client has ${method}`);
  const actor = caller(callerName);
  return found.method.responseStream ? firstServer(api, ask, request, callerName) : ask(as(actor), request);
}

/** A watch is told of a change of the caller's own; what it is told is the answer. */
async function firstServer(
  { cells }: World["api"],
  ask: Ask,
  request: unknown,
  callerName: string,
): Promise<unknown> {
  const actor = caller(callerName);
  const stop = new AbortController();
  let told: unknown;
  for await (const { server } of ask(as(actor, { signal: stop.signal, deadlineMs: undefined }), request)) {
    if (server !== undefined) {
      told = server;
      break;
    }
    cells.change("cell1", aServer({ id: SERVER, projectId: actor.projectId }));
  }
  stop.abort();
  return told;
}
