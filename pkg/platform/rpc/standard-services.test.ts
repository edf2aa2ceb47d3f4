import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  KeyPairsServiceDefinition,
  ListKeyPairsResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { silentLogger } from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import { bindService, startRpcServer } from "./index.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const never = (): Promise<never> => Promise.reject(new Error("not asked for here"));

describe("reflection", () => {
  it("is enough for a client that has none of our protos, and lists only what is served", async () => {
    const keyPairs = bindService(KeyPairsServiceDefinition, {
      listKeyPairs: async () => ListKeyPairsResponse.fromPartial({ keyPairs: [{ name: "mykey" }] }),
      getKeyPair: never,
      createKeyPair: never,
      deleteKeyPair: never,
    });
    const server = await startRpcServer({
      address: "127.0.0.1:0",
      bindings: [keyPairs],
      trustedPeer: { service: "gateway", host: "" },
      log: silentLogger,
      tracer: noTracer,
      metrics: new Metrics(),
      descriptors: await readFile(`${root}gen/descriptors.binpb`),
    });
    const curl = async (path: string, ...more: string[]): Promise<string> =>
      (
        await promisify(execFile)(`${root}node_modules/.bin/buf`, [
          "curl",
          "--protocol",
          "grpc",
          "--http2-prior-knowledge",
          ...more,
          `http://127.0.0.1:${server.port}${path}`,
        ])
      ).stdout;
    try {
      const methods = (await curl("", "--list-methods"))
        .trim()
        .split("\n")
        .filter((method) => method.startsWith("kilonova."));
      assert.deepEqual(
        methods.sort(),
        ["CreateKeyPair", "DeleteKeyPair", "GetKeyPair", "ListKeyPairs"].map(
          (name) => `kilonova.api.v1.KeyPairsService/${name}`,
        ),
      );
      assert.deepEqual(JSON.parse(await curl("/kilonova.api.v1.KeyPairsService/ListKeyPairs")), {
        keyPairs: [{ name: "mykey" }],
      });
    } finally {
      await server.close();
    }
  });
});
