import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import {
  BadRequest,
  ErrorInfo,
  PreconditionFailure,
  QuotaFailure,
  RequestInfo,
  RetryInfo,
} from "../../../gen/google/rpc/error_details.js";
import { Status } from "../../../gen/google/rpc/status.js";
import {
  GetKeyPairRequest,
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { anonymous, defineErrors, silentLogger } from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import { bindPart } from "./bind.js";
import { DETAILS_KEY } from "./door.js";
import { startRpcServer } from "./index.js";
import type { RpcServer } from "./index.js";

const E = defineErrors("cells", {
  KEY_BAD: ["invalid", (p: { at: number }) => `Key ${p.at} is bad.`, { field: "keys[{at}].name" }],
  QUOTA_FULL: ["quota", (_p: { resources: string }) => "Quota exceeded.", { subject: "{resources}" }],
  WRONG_STATE: ["refused", (p: { server: string }) => `Server ${p.server} is not ready.`],
  AWAY: ["unavailable", (_p: Record<string, never>) => "Nobody is there."],
  INSIDE: ["refused", (_p: { cell: string }) => "An inner matter."],
});
const refusals: Readonly<Record<string, () => Error>> = {
  bad: () => E.KEY_BAD({ at: 3 }),
  full: () => E.QUOTA_FULL({ resources: "cores, ram" }),
  state: () => E.WRONG_STATE({ server: "s1" }),
  away: () => E.AWAY({}),
  inside: () => E.INSIDE({ cell: "cell7" }),
};
const actor = { ...anonymous, kind: "user" as const, userId: "u1", projectId: "p1" };
const PATH = "/kilonova.api.v1.KeyPairsService/GetKeyPair";

describe("answers at a public port", () => {
  let server: RpcServer;
  let client: grpc.Client;
  let handled: string;
  before(async () => {
    server = await startRpcServer({
      log: silentLogger,
      tracer: noTracer,
      metrics: new Metrics(),
      address: "127.0.0.1:0",
      authenticate: async (_ctx, token) => {
        if (token !== "good") throw E.AWAY({});
        return { actor };
      },
      errors: {
        domain: "kilonova.dev",
        reasons: new Set(["KEY_BAD", "QUOTA_FULL", "WRONG_STATE", "AWAY"]),
      },
      bindings: [
        bindPart(KeyPairsServiceDefinition, {
          getKeyPair: async (ctx, { name }) => {
            handled = ctx.requestId;
            const refusal = refusals[name]?.();
            if (refusal) throw refusal;
            return GetKeyPairResponse.fromPartial({});
          },
        }),
      ],
    });
    client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await server.close();
  });

  const ask = (
    name: string,
    token = "good",
  ): Promise<{ header: string; error: grpc.ServiceError | null }> => {
    const metadata = new grpc.Metadata();
    metadata.set("x-auth-token", token);
    return new Promise((resolve) => {
      let header = "";
      const call = client.makeUnaryRequest(
        PATH,
        (request: string) =>
          Buffer.from(GetKeyPairRequest.encode(GetKeyPairRequest.fromPartial({ name: request })).finish()),
        (bytes) => bytes,
        name,
        metadata,
        (error) => resolve({ header, error }),
      );
      call.on("metadata", (headers) => (header = String(headers.get("x-request-id")[0] ?? "")));
    });
  };
  const detailsOf = (error: grpc.ServiceError | null): Map<string, Uint8Array> => {
    const bytes = error?.metadata.get(DETAILS_KEY)[0];
    assert.ok(Buffer.isBuffer(bytes));
    return new Map(
      Status.decode(bytes).details.map(({ typeUrl, value }) => [typeUrl.split(".").at(-1) ?? "", value]),
    );
  };
  const empty = new Uint8Array();

  it("carry the request's id, whether well or not", async () => {
    const well = await ask("x");
    assert.equal(well.error, null);
    assert.equal(well.header, handled);
    assert.match(handled, /^req-/);
    const { error, header } = await ask("bad");
    assert.equal(header, handled);
    assert.equal(error?.metadata.get("x-request-id")[0], handled);
    assert.equal(RequestInfo.decode(detailsOf(error).get("RequestInfo") ?? empty).requestId, handled);
  });

  it("carry it also when the call is refused at the door", async () => {
    const details = detailsOf((await ask("x", "none")).error);
    assert.match(RequestInfo.decode(details.get("RequestInfo") ?? empty).requestId, /^req-/);
    assert.equal(ErrorInfo.decode(details.get("ErrorInfo") ?? empty).domain, "kilonova.dev");
  });

  it("tell errors of every service in one domain, with the field that is wrong", async () => {
    const details = detailsOf((await ask("bad")).error);
    const info = ErrorInfo.decode(details.get("ErrorInfo") ?? empty);
    assert.deepEqual([info.domain, info.reason, info.metadata.get("at")], ["kilonova.dev", "KEY_BAD", "3"]);
    assert.deepEqual(
      BadRequest.decode(details.get("BadRequest") ?? empty).fieldViolations.map((v) => [
        v.field,
        v.description,
      ]),
      [["keys[3].name", "Key 3 is bad."]],
    );
  });

  it("name every quota that is used up", async () => {
    const { violations } = QuotaFailure.decode(
      detailsOf((await ask("full")).error).get("QuotaFailure") ?? empty,
    );
    assert.deepEqual(
      violations.map(({ subject, description }) => [subject, description]),
      [
        ["cores", "Quota exceeded."],
        ["ram", "Quota exceeded."],
      ],
    );
  });

  it("name the state that stands in the way, and what is in it", async () => {
    const { violations } = PreconditionFailure.decode(
      detailsOf((await ask("state")).error).get("PreconditionFailure") ?? empty,
    );
    assert.deepEqual(violations, [
      { type: "WRONG_STATE", subject: "server:s1", description: "Server s1 is not ready." },
    ]);
  });

  it("say when to come again after a break", async () => {
    const retry = RetryInfo.decode(detailsOf((await ask("away")).error).get("RetryInfo") ?? empty);
    assert.equal(retry.retryDelay?.seconds, 1n);
  });

  it("hide reasons that are no part of the contract behind their code", async () => {
    const details = detailsOf((await ask("inside")).error);
    const info = ErrorInfo.decode(details.get("ErrorInfo") ?? empty);
    assert.deepEqual([info.reason, info.metadata.size], ["FAILED_PRECONDITION", 0]);
    const { violations } = PreconditionFailure.decode(details.get("PreconditionFailure") ?? empty);
    assert.deepEqual([violations[0]?.type, violations[0]?.subject], ["FAILED_PRECONDITION", ""]);
  });
});
