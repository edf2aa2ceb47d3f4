import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { FlavorsServiceDefinition } from "../../../gen/kilonova/api/v1/flavors_service.js";
import {
  EventsServiceDefinition,
  OperationsServiceDefinition,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { Server } from "../../../gen/kilonova/api/v1/server.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { KilonovaError, rootCtx } from "../../../pkg/kernel/index.js";
import { connectRpc } from "../../../pkg/platform/rpc/index.js";
import type { Channel, Client } from "../../../pkg/platform/rpc/index.js";
import type { Cloud } from "./cloud.js";
import { getJson, tokenOf } from "./identity.js";

const PATIENCE_MS = 300_000;
/** Of a wait for an operation: less than the call's, so that it is answered. */
const WAIT_S = 240;

/** A context as a client program has one: nothing but a deadline and a way to give up. */
export const call = (init: Partial<Ctx> = {}): Ctx =>
  rootCtx({ requestId: `req-${randomUUID()}`, deadlineMs: Date.now() + PATIENCE_MS, ...init });

/** The error of a call that must fail. */
export async function failure(promise: Promise<unknown>): Promise<KilonovaError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(error instanceof KilonovaError, `should have failed with a status, got ${String(error)}`);
  return error;
}

/** A user at the public gRPC port. */
export class GrpcUser {
  readonly token: string;
  readonly channel: Channel;
  readonly servers: Client<typeof ServersServiceDefinition>;
  readonly operations: Client<typeof OperationsServiceDefinition>;
  readonly events: Client<typeof EventsServiceDefinition>;
  readonly flavors: Client<typeof FlavorsServiceDefinition>;
  readonly #imageId: string;

  private constructor(cloud: Cloud, token: string, imageId: string) {
    this.token = token;
    this.channel = connectRpc(`127.0.0.1:${cloud.port(8770)}`, { token: async () => token });
    this.servers = this.channel.client(ServersServiceDefinition);
    this.operations = this.channel.client(OperationsServiceDefinition);
    this.events = this.channel.client(EventsServiceDefinition);
    this.flavors = this.channel.client(FlavorsServiceDefinition);
    this.#imageId = imageId;
  }

  static async open(cloud: Cloud, user: "admin" | "demo"): Promise<GrpcUser> {
    return GrpcUser.of(cloud, await tokenOf(cloud, user));
  }

  /** Whoever a token stands for. */
  static async of(cloud: Cloud, token: string): Promise<GrpcUser> {
    const {
      images: [image],
    } = await getJson<{ images: { id: string }[] }>(`http://127.0.0.1:${cloud.port(9292)}/v2/images`, token);
    assert.ok(image);
    return new GrpcUser(cloud, token, image.id);
  }

  async flavorId(name: string): Promise<string> {
    const {
      flavors: [flavor],
    } = await this.flavors.listFlavors(call(), { name });
    assert.ok(flavor, `flavor ${name}`);
    return flavor.id;
  }

  /** A request for a small server with a token of its own. */
  async request(
    name: string,
    over: Partial<CreateServersRequest> = {},
  ): Promise<Partial<CreateServersRequest>> {
    return {
      clientToken: randomUUID(),
      name,
      imageId: this.#imageId,
      flavorId: await this.flavorId("m1.nano"),
      ...over,
    };
  }

  /** Asks for one server. */
  async create(
    name: string,
    over: Partial<CreateServersRequest> = {},
  ): Promise<{ server: Server; operation: Operation }> {
    const {
      servers: [server],
      operations: [operation],
    } = await this.servers.createServers(call(), await this.request(name, over));
    assert.ok(server && operation);
    return { server, operation };
  }

  /** Creates one server and waits until it runs. @throws when it does not come to that */
  async boot(name: string, over: Partial<CreateServersRequest> = {}): Promise<Server> {
    const { server, operation } = await this.create(name, over);
    const { error, done } = await this.wait(operation);
    assert.deepEqual({ error, done }, { error: undefined, done: true });
    return this.get(server.id);
  }

  async get(serverId: string): Promise<Server> {
    const { server } = await this.servers.getServer(call(), { serverId });
    assert.ok(server);
    return server;
  }

  /** Waits for an operation's end. @param seconds  returns as it is then when it is not done */
  async wait(operation: Operation | undefined, seconds = WAIT_S): Promise<Operation> {
    const answer = await this.operations.waitOperation(call(), {
      name: operation?.name ?? "",
      timeout: { seconds: BigInt(seconds), nanos: 0 },
    });
    assert.ok(answer.operation);
    return answer.operation;
  }

  async delete(serverId: string): Promise<Operation> {
    return this.wait((await this.servers.deleteServer(call(), { serverId })).operation);
  }
}
