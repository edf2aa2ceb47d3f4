import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Metadata, credentials, loadPackageDefinition, makeClientConstructor, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthProto } from "grpc-health-check";
import { BadRequest, ErrorInfo, RequestInfo } from "../../../gen/google/rpc/error_details.js";
import { Status } from "../../../gen/google/rpc/status.js";
import { NovaListsServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { OperationStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PlacementServiceDefinition } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { Actor } from "../../../gen/kilonova/type/v1/actor.js";
import type { KilonovaError } from "../../../pkg/kernel/index.js";
import { connectRpc } from "../../../pkg/platform/rpc/index.js";
import { projectRoot } from "../support/cloud.js";
import { call, failure } from "../support/grpc-user.js";
import { grantOnSystem, tokenOf } from "../support/identity.js";
import type { Stage } from "./stage.js";

const run = promisify(execFile);
const MISSING = "00000000-0000-4000-8000-00000000dead";

/** Who gets in, what is served, and in which form a refusal comes. */
export function door(stage: Stage): void {
  const address = (): string => `127.0.0.1:${stage.cloud.port(8770)}`;
  const withToken = async (token: string): Promise<KilonovaError> => {
    const channel = connectRpc(address(), { token: async () => token });
    try {
      return await failure(channel.client(ServersServiceDefinition).listServers(call(), {}));
    } finally {
      await channel.close();
    }
  };

  it("answers health checks, of the whole and of each service, without a token", async () => {
    const { grpc } = loadPackageDefinition(loadSync(healthProto)) as unknown as {
      grpc: { health: { v1: { Health: ReturnType<typeof makeClientConstructor> } } };
    };
    const health = new grpc.health.v1.Health(address(), credentials.createInsecure());
    const check = (service: string) =>
      new Promise<unknown>((resolve, reject) => {
        health["check"]?.({ service }, (error: ServiceError | null, answer: { status: unknown }) =>
          error ? reject(error) : resolve(answer.status),
        );
      });
    try {
      for (const service of ["", "kilonova.api.v1.ServersService", "kilonova.api.v1.EventsService"])
        assert.ok([1, "SERVING"].includes((await check(service)) as number), service);
      await assert.rejects(check("kilonova.api.v1.NoSuchService"), { code: status.NOT_FOUND });
    } finally {
      health.close();
    }
  });

  it("describes itself to tools that know no proto of ours", async () => {
    const buf = join(projectRoot, "node_modules", ".bin", "buf");
    const curl = async (path: string, ...more: string[]): Promise<string> =>
      (
        await run(
          buf,
          ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...more, `http://${address()}${path}`],
          { env: { ...process.env, NO_PROXY: "*" } },
        )
      ).stdout;
    const methods = await curl("", "--list-methods");
    assert.doesNotMatch(methods, /kilonova\.(cells|conductor|compute|placement|scheduler)\./);
    for (const method of [
      "ServersService/CreateServers",
      "OperationsService/WaitOperation",
      "EventsService/WatchEvents",
    ])
      assert.ok(methods.includes(`kilonova.api.v1.${method}`), `${method} in:\n${methods}`);
    const { flavors } = JSON.parse(
      await curl(
        "/kilonova.api.v1.FlavorsService/ListFlavors",
        "--header",
        `x-auth-token: ${stage.demo.token}`,
      ),
    ) as { flavors: { name: string }[] };
    assert.ok(flavors.some(({ name }) => name === "m1.nano"));
  });

  it("lets nobody in without a token, with a made up one, or with one that was changed", async () => {
    const { token } = stage.demo;
    for (const bad of ["", "made-up", token.slice(0, -1), `${token}x`, token.split("").reverse().join("")]) {
      const error = await withToken(bad);
      assert.equal(error.kind, "unauthenticated", bad);
    }
  });

  it("believes the token, not what else the caller says about himself", async () => {
    const raw = new (makeClientConstructor({}, "raw"))(address(), credentials.createInsecure());
    const list = (token: string) =>
      new Promise<unknown>((resolve, reject) => {
        const metadata = new Metadata();
        const administrator = { kind: "user", userId: "u", projectId: "p", roles: ["admin", "service"] };
        metadata.set(
          "kilonova-actor-bin",
          Buffer.from(Actor.encode(Actor.fromPartial(administrator)).finish()),
        );
        if (token !== "") metadata.set("x-auth-token", token);
        const { requestType, responseType } = ServersServiceDefinition.methods.listServers;
        raw.makeUnaryRequest(
          "/kilonova.api.v1.ServersService/ListServers",
          (value: boolean) =>
            Buffer.from(requestType.encode(requestType.fromPartial({ allProjects: value })).finish()),
          (bytes: Buffer) => responseType.decode(bytes),
          true,
          metadata,
          (error, answer) => (error ? reject(error) : resolve(answer)),
        );
      });
    try {
      await assert.rejects(list(""), { code: status.UNAUTHENTICATED });
      await assert.rejects(list(stage.demo.token), { code: status.PERMISSION_DENIED });
      await list(stage.admin.token);
    } finally {
      raw.close();
    }
  });

  it("refuses tokens of the system as a whole where Nova does, and so does REST", async () => {
    await grantOnSystem(stage.cloud, "admin", "admin");
    const token = await tokenOf(stage.cloud, "admin", "system");
    const rule = "os_compute_api:servers:detail";
    const { kind, reason, facts } = await withToken(token);
    assert.deepEqual([kind, reason, facts], ["forbidden", "FORBIDDEN", { rule }]);
    const rest = async (path: string) => {
      const url = `http://127.0.0.1:${stage.cloud.port(8774)}/v2.1${path}`;
      const answer = await fetch(url, { headers: { "x-auth-token": token } });
      return [answer.status, await answer.text()] as const;
    };
    const [status403, text] = await rest("/servers/detail");
    assert.equal(status403, 403, text);
    assert.match(text, /Policy doesn't allow os_compute_api:servers:detail to be performed\./);
    assert.equal((await rest("/flavors"))[0], 200, "no rule stands before flavors");
  });

  it("does not serve the services behind it, not even to administrators", async () => {
    const { channel } = stage.admin;
    const calls = [
      () => channel.client(GlobalServiceDefinition).acceptServers(call(), {}),
      () => channel.client(OperationStoreServiceDefinition).acquireOperations(call(), {}),
      () => channel.client(PlacementServiceDefinition).releaseAllocations(call(), {}),
      () => channel.client(NovaListsServiceDefinition).listServers(call(), { list: {} }),
      () => channel.client(AgentServiceDefinition).scriptFakeDriver(call(), {}),
    ];
    for (const one of calls) assert.equal((await failure(one())).kind, "unsupported");
  });

  it("tells reason, domain and fields", async () => {
    const missing = await failure(stage.demo.servers.getServer(call(), { serverId: MISSING }));
    assert.deepEqual(
      [missing.kind, missing.domain, missing.reason, missing.facts],
      ["missing", "kilonova.dev", "SERVER_NOT_FOUND", { server: MISSING }],
    );
    const invalid = await failure(
      stage.demo.servers.createServers(
        call(),
        await stage.demo.request("", { metadata: new Map([["", "x"]]) }),
      ),
    );
    assert.equal(invalid.kind, "invalid");
    assert.ok(
      invalid.violations.some(({ field, description }) => field === "name" && description !== ""),
      JSON.stringify(invalid.violations),
    );
    assert.ok(
      invalid.violations.some(({ field }) => field.startsWith("metadata")),
      JSON.stringify(invalid.violations),
    );
    const unknown = await failure(
      stage.demo.servers.createServers(call(), await stage.demo.request("no-flavor", { flavorId: MISSING })),
    );
    assert.deepEqual(
      [unknown.kind, unknown.reason, unknown.violations.map(({ field }) => field)],
      ["invalid", "FLAVOR_NOT_FOUND", ["flavor_id"]],
    );
  });

  it("tells them as google.rpc.Status, for clients in any language", async () => {
    const { cause } = await failure(stage.demo.servers.createServers(call(), await stage.demo.request("")));
    const { code, metadata } = cause as ServiceError;
    assert.equal(code, status.INVALID_ARGUMENT);
    const details = Status.decode(metadata.get("grpc-status-details-bin")[0] as Buffer);
    assert.equal(details.code, code);
    const of = (type: string): Uint8Array =>
      details.details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${type}`)?.value ??
      assert.fail(type);
    assert.equal(ErrorInfo.decode(of("ErrorInfo")).domain, "kilonova.dev");
    assert.equal(RequestInfo.decode(of("RequestInfo")).requestId, metadata.get("x-request-id")[0]);
    assert.ok(BadRequest.decode(of("BadRequest")).fieldViolations.some(({ field }) => field === "name"));
  });
}
