import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { Client } from "../client.js";
import { KilonovaError } from "../errors.js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";
import { ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";
import {
  GetServerRequestSchema,
  GetServerResponseSchema,
  WatchEventsResponseSchema,
} from "../messages.gen.js";
import { CountingIdentity } from "../testing/scripted-cloud.js";
import { createGrpcTransport } from "./grpc-transport.js";
import { channelCredentials, fetchWith } from "./tls.js";

const bytes = { requestDeserialize: (one: Buffer) => one, responseSerialize: (one: Buffer) => one };
const grpc = {
  requestStream: false,
  requestSerialize: bytes.responseSerialize,
  responseDeserialize: bytes.requestDeserialize,
};

/** A gRPC server that shows a server by its id, refuses, and streams until it is hung up on. */
class SmallCloud {
  readonly #server = new Server();
  readonly hungUp: Promise<void>;
  tokens: unknown[] = [];

  constructor() {
    let told = (): void => undefined;
    this.hungUp = new Promise((resolve) => (told = resolve));
    this.#server.addService(
      {
        get: { ...grpc, ...bytes, responseStream: false, path: "/kilonova.api.v1.ServersService/GetServer" },
        watch: {
          ...grpc,
          ...bytes,
          responseStream: true,
          path: "/kilonova.api.v1.EventsService/WatchEvents",
        },
      },
      {
        get: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
          this.#get(call, answer),
        watch: (call: ServerWritableStream<Buffer, Buffer>) => {
          call.write(
            Buffer.from(
              toBinary(WatchEventsResponseSchema, create(WatchEventsResponseSchema, { resumeToken: "1" })),
            ),
          );
          call.once("cancelled", told);
        },
      },
    );
  }

  #get(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    this.tokens.push(call.metadata.get("x-auth-token")[0]);
    const { serverId: id } = fromBinary(GetServerRequestSchema, call.request);
    const initial = new Metadata();
    initial.set("x-request-id", "req-7");
    call.sendMetadata(initial);
    if (id === "slow") return;
    if (id !== "none")
      return answer(
        null,
        Buffer.from(toBinary(GetServerResponseSchema, create(GetServerResponseSchema, { server: { id } }))),
      );
    const info = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason: "SERVER_NOT_FOUND" }));
    const details = [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: info }];
    const metadata = new Metadata();
    const told = toBinary(StatusSchema, create(StatusSchema, { code: status.NOT_FOUND, details }));
    metadata.set("grpc-status-details-bin", Buffer.from(told));
    answer({ code: status.NOT_FOUND, details: "no such server", metadata });
  }

  listen(credentials = ServerCredentials.createInsecure()): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.bindAsync("127.0.0.1:0", credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
  }

  close(): void {
    this.#server.forceShutdown();
  }
}

const backoff = { firstMs: 1, mostMs: 4 };
const plain = { verify: true };
const clientAt = (url: string, tls: Parameters<typeof channelCredentials>[1]): Client =>
  new Client(
    new CountingIdentity().session(),
    createGrpcTransport(new URL(url).host, channelCredentials(new URL(url), tls)),
    { backoff },
  );
const isError = (code: string, reason: string) => (error: unknown) =>
  error instanceof KilonovaError && error.code === code && error.reason === reason;

describe("gRPC in the SDK", () => {
  let cloud: SmallCloud;
  let client: Client | undefined;
  beforeEach(() => (cloud = new SmallCloud()));
  afterEach(() => {
    client?.close();
    cloud.close();
  });

  it("carries answers, tokens, and refusals with their details and request", async () => {
    client = clientAt(`http://127.0.0.1:${await cloud.listen()}`, plain);
    assert.equal((await client.servers.get({ serverId: "s" })).server?.id, "s");
    assert.deepEqual(cloud.tokens, ["token-1"]);
    const error = await client.servers.get({ serverId: "none" }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof KilonovaError);
    assert.deepEqual(
      [error.code, error.reason, error.message, error.requestId],
      ["NOT_FOUND", "SERVER_NOT_FOUND", "no such server", "req-7"],
    );
  });

  it("keeps to time limits, and lets go when the caller does", async () => {
    client = clientAt(`http://127.0.0.1:${await cloud.listen()}`, plain);
    const call = client.servers.get({ serverId: "slow" }, { timeoutMs: 50 });
    await assert.rejects(call, isError("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"));
    const aborted = client.servers.get({ serverId: "slow" }, { signal: AbortSignal.timeout(50) });
    await assert.rejects(aborted, isError("CANCELLED", "CANCELLED"));
  });

  it("hangs up on streams that nobody reads any more", async () => {
    client = clientAt(`http://127.0.0.1:${await cloud.listen()}`, plain);
    for await (const { resumeToken } of client.servers.watch()) {
      assert.equal(resumeToken, "1");
      break;
    }
    await cloud.hungUp;
  });

  it("says that nobody is there", async () => {
    client = clientAt("http://127.0.0.1:1", plain);
    const call = client.servers.get({ serverId: "s" }, { timeoutMs: 200 });
    await assert.rejects(call, (error) => error instanceof KilonovaError && error.code !== "UNKNOWN");
  });
});

describe("TLS in the SDK", () => {
  let folder: string;
  let crt: string;
  let key: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "kilonova-sdk-tls-"));
    [crt, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execFileSync(
      "openssl",
      ["req", "-x509", ...kind, "-keyout", key, "-out", crt, "-days", "2", ...subject],
      {
        stdio: "ignore",
      },
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("calls go to whom the configuration trusts, and to nobody else", async () => {
    const cloud = new SmallCloud();
    const pair = { cert_chain: readFileSync(crt), private_key: readFileSync(key) };
    const url = `https://127.0.0.1:${await cloud.listen(ServerCredentials.createSsl(null, [pair]))}`;
    const ask = async (tls: Parameters<typeof channelCredentials>[1]): Promise<string | undefined> => {
      const client = clientAt(url, tls);
      try {
        return (await client.servers.get({ serverId: "s" }, { timeoutMs: 2_000 })).server?.id;
      } finally {
        client.close();
      }
    };
    try {
      assert.equal(await ask({ verify: true, cacert: crt }), "s");
      assert.equal(await ask({ verify: false }), "s");
      await assert.rejects(ask({ verify: true }), (error) => error instanceof KilonovaError);
    } finally {
      cloud.close();
    }
  });

  it("so do logins", async () => {
    const server = createServer({ cert: readFileSync(crt), key: readFileSync(key) }, (request, answer) =>
      answer.writeHead(201, { "x-subject-token": "t" }).end(`${request.method} ${request.url}`),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v3`;
    try {
      for (const tls of [{ verify: true, cacert: crt }, { verify: false }]) {
        const answer = await fetchWith(tls)(url, { method: "POST", body: "{}" });
        assert.deepEqual(
          [answer.status, answer.headers.get("x-subject-token"), await answer.text()],
          [201, "t", "POST /v3"],
        );
      }
      await assert.rejects(fetchWith({ verify: true })(url, {}), /self-signed|self signed/);
    } finally {
      server.close();
    }
  });
});
