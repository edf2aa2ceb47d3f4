import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { once } from "node:events";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import * as grpc from "@grpc/grpc-js";
import {
  KeyPairsServiceDefinition,
  ListKeyPairsResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { silentLogger } from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import { bindService, startRpcServer } from "./index.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const never = (): Promise<never> => Promise.reject(new Error("not asked for here"));

/** Whether reflection has a file for the symbol. Written by hand, as a client would that guesses names. */
async function knows(port: number, symbol: string): Promise<boolean> {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest(
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    same,
    same,
  );
  // file_containing_symbol = 4; of the answer, file_descriptor_response = 4 and error_response = 7.
  call.write(Buffer.from(new BinaryWriter().tag(4, WireType.LengthDelimited).string(symbol).finish()));
  try {
    const [answer] = (await once(call, "data")) as [Buffer];
    const fields: number[] = [];
    const reader = new BinaryReader(answer);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      fields.push(field);
      reader.skip(wireType);
    }
    return fields.includes(4);
  } finally {
    call.on("error", () => {}).cancel();
    client.close();
  }
}

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
      // Services that are not served here, and their messages, are not even known by name.
      const known = await Promise.all(
        [
          "kilonova.api.v1.GetKeyPairRequest",
          "kilonova.cells.v1.GlobalService",
          "kilonova.api.v1.ServersService",
        ].map((symbol) => knows(server.port, symbol)),
      );
      assert.deepEqual(known, [true, false, false]);
    } finally {
      await server.close();
    }
  });
});
