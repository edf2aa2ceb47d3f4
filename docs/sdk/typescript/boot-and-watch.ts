// Boots a server over gRPC, repeats the request, shows each state as it happens, reads what refusals say, and
// deletes the server again. Needs ./gen (see README.md), the OS_* variables of an openrc file, and
// KILONOVA_GRPC when the port is not 127.0.0.1:8770.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Metadata, credentials, status } from "@grpc/grpc-js";
import type { CallOptions, ServiceError } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "./gen/google/rpc/error_details.js";
import { Status } from "./gen/google/rpc/status.js";
import { FlavorsServiceClient, ListFlavorsRequest } from "./gen/kilonova/api/v1/flavors_service.js";
import {
  EventType,
  EventsServiceClient,
  OperationsServiceClient,
  WaitOperationRequest,
  WatchEventsRequest,
} from "./gen/kilonova/api/v1/operations_service.js";
import type { WatchEventsResponse } from "./gen/kilonova/api/v1/operations_service.js";
import {
  CreateServersRequest,
  DeleteServerRequest,
  ServersServiceClient,
} from "./gen/kilonova/api/v1/servers_service.js";
import type { Operation } from "./gen/kilonova/type/v1/operation.js";
import { VmState, vmStateToJSON } from "./gen/kilonova/type/v1/server.js";

const address = process.env["KILONOVA_GRPC"] ?? "127.0.0.1:8770";
const env = (name: string): string =>
  process.env[name] ?? fail(`${name} is not set: source an openrc file first`);

function fail(problem: string): never {
  console.error(problem);
  process.exit(1);
}

/** Asks Identity for a token; its catalog tells where Image is. */
async function logIn(): Promise<{ token: string; imageUrl: string }> {
  const user = {
    name: env("OS_USERNAME"),
    password: env("OS_PASSWORD"),
    domain: { name: env("OS_USER_DOMAIN_NAME") },
  };
  const project = { name: env("OS_PROJECT_NAME"), domain: { name: env("OS_PROJECT_DOMAIN_NAME") } };
  const answer = await fetch(`${env("OS_AUTH_URL")}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      auth: { identity: { methods: ["password"], password: { user } }, scope: { project } },
    }),
  });
  const token = answer.headers.get("x-subject-token") ?? fail(`Identity answered ${answer.status}`);
  const {
    token: { catalog },
  } = (await answer.json()) as {
    token: { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] };
  };
  const endpoint = catalog
    .find(({ type }) => type === "image")
    ?.endpoints.find((one) => one.interface === "public");
  return { token, imageUrl: endpoint?.url ?? fail("no Image service in the catalog") };
}

const { token, imageUrl } = await logIn();
const metadata = new Metadata();
metadata.set("x-auth-token", token);

const channel = credentials.createInsecure();
const servers = new ServersServiceClient(address, channel);
const flavors = new FlavorsServiceClient(address, channel);
const operations = new OperationsServiceClient(address, channel);
const events = new EventsServiceClient(address, channel);

type Method<Q, A> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  done: (error: ServiceError | null, answer: A) => void,
) => unknown;

/**
 * One unary call, as a promise. A call with a client token may be repeated as often as it takes: it is done
 * once.
 */
async function rpc<Q, A>(method: Method<Q, A>, request: Q): Promise<A> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await new Promise<A>((resolve, reject) => {
        method(request, metadata, { deadline: Date.now() + 60_000 }, (error, answer) =>
          error ? reject(error) : resolve(answer),
        );
      });
    } catch (error) {
      if ((error as ServiceError).code !== status.UNAVAILABLE || attempt === 5) throw error;
      await sleep(200 * attempt);
    }
  }
}

/**
 * What a refusal says beside its text, as `google.rpc.Status` carries it: the reason to build on, and the
 * fields that are wrong.
 */
function refusalOf(error: unknown): { code: string; reason: string; fields: string[] } {
  const { code, metadata: trailers } = error as ServiceError;
  const [bytes] = trailers.get("grpc-status-details-bin");
  const { details } = Buffer.isBuffer(bytes) ? Status.decode(bytes) : Status.fromPartial({});
  const of = (type: string): Uint8Array =>
    details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${type}`))?.value ?? new Uint8Array();
  return {
    code: status[code],
    reason: ErrorInfo.decode(of("ErrorInfo")).reason,
    fields: BadRequest.decode(of("BadRequest")).fieldViolations.map(({ field }) => field),
  };
}

/** Tells how a call is refused. */
async function showRefusal<Q, A>(method: Method<Q, A>, request: Q): Promise<void> {
  try {
    await rpc(method, request);
    fail("that should have been refused");
  } catch (error) {
    const { code, reason, fields } = refusalOf(error);
    console.log(["refused", code, reason, ...fields].join(" "));
  }
}

/**
 * What happens to the project's servers, over breaks of the connection: nothing is lost, nothing comes twice.
 */
async function* watch(): AsyncGenerator<WatchEventsResponse> {
  for (let resumeToken = ""; ;) {
    const stream = events.watchEvents(WatchEventsRequest.fromPartial({ resumeToken }), metadata);
    try {
      for await (const event of stream as AsyncIterable<WatchEventsResponse>) {
        yield event;
        resumeToken = event.resumeToken;
      }
    } catch (error) {
      if ((error as ServiceError).code !== status.UNAVAILABLE) throw error;
      await sleep(500);
    } finally {
      stream.cancel();
    }
  }
}

/** Waits for the end of an operation, however long it takes. */
async function finished(operation: Operation | undefined): Promise<Operation> {
  for (;;) {
    const request = WaitOperationRequest.fromPartial({
      name: operation?.name ?? "",
      timeout: { seconds: 30n },
    });
    const { operation: now } = await rpc(operations.waitOperation.bind(operations), request);
    if (now?.done) return now;
  }
}

const {
  flavors: [flavor],
} = await rpc(flavors.listFlavors.bind(flavors), ListFlavorsRequest.fromPartial({ name: "m1.nano" }));
const {
  images: [image],
} = (await (await fetch(`${imageUrl}/v2/images`, { headers: { "x-auth-token": token } })).json()) as {
  images: { id: string }[];
};
if (!flavor || !image) fail("no flavor m1.nano or no image");

// The first event says that the watch has begun: what happens from then on will be seen.
const story = watch();
await story.next();

const request = CreateServersRequest.fromPartial({
  clientToken: randomUUID(),
  name: "sdk-typescript",
  flavorId: flavor.id,
  imageId: image.id,
});
const {
  servers: [server],
  operations: [boot],
} = await rpc(servers.createServers.bind(servers), request);
if (!server || !boot) fail("nothing was created");
console.log(`accepted ${server.id}`);

// Not sure whether it arrived? The same again, with the same token, is the same server. Another request may
// not have the token.
const again = await rpc(servers.createServers.bind(servers), request);
console.log(`again ${again.replayed} ${again.servers[0]?.id}`);
await showRefusal(servers.createServers.bind(servers), { ...request, name: "another" });
await showRefusal(
  servers.createServers.bind(servers),
  CreateServersRequest.fromPartial({ name: "", flavorId: flavor.id, imageId: image.id }),
);

const booted = await finished(boot);
if (booted.error) console.log(`failed: ${booted.error.reason}: ${booted.error.message}`);
const { operation: deletion } = await rpc(
  servers.deleteServer.bind(servers),
  DeleteServerRequest.fromPartial({ serverId: server.id, clientToken: randomUUID() }),
);
await finished(deletion);

for await (const { type, server: seen } of story) {
  if (seen === undefined || seen.id !== server.id) continue;
  const gone = type === EventType.EVENT_TYPE_SERVER_DELETED;
  console.log(
    `${seen.generation} ${gone ? "deleted" : `${vmStateToJSON(seen.vmState).replace("VM_STATE_", "")} ${seen.taskState ?? ""}`.trim()}`,
  );
  if (seen.vmState === VmState.VM_STATE_ERROR) process.exitCode = 1;
  if (gone) break;
}
for (const client of [servers, flavors, operations, events]) client.close();
