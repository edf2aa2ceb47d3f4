import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createServer } from "node:http2";
import type { Http2Server, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { KeyPairsServiceDefinition } from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import type { KilonovaError } from "../../kernel/index.js";
import { rootCtx } from "../../kernel/index.js";
import { connectRpc } from "./index.js";

describe("a client whose server goes away", () => {
  let server: Http2Server;
  let calls = 0;
  let end: (stream: ServerHttp2Stream) => void = () => {};
  beforeEach(async () => {
    calls = 0;
    server = createServer();
    server.on("stream", (stream) => {
      calls++;
      stream.on("error", () => {});
      end(stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => server.close());

  const call = async (attempts: number, signal = new AbortController().signal): Promise<KilonovaError> => {
    const channel = connectRpc(`127.0.0.1:${(server.address() as AddressInfo).port}`, { attempts });
    try {
      await channel
        .client(KeyPairsServiceDefinition)
        .getKeyPair(rootCtx({ requestId: "r", signal }), { name: "k" });
    } catch (error) {
      return error as KilonovaError;
    } finally {
      await channel.close();
    }
    throw new Error("it was answered");
  };

  const begun = { ":status": 200, "content-type": "application/grpc" };
  const endings: Record<string, (stream: ServerHttp2Stream) => void> = {
    "ends its answer without a status": (stream) => {
      stream.respond(begun);
      stream.end();
    },
    "resets the call": (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    "cancels the call, as a server does that ends": (stream) => stream.close(constants.NGHTTP2_CANCEL),
    "cancels the call after it began to answer": (stream) => {
      stream.respond(begun);
      stream.close(constants.NGHTTP2_CANCEL);
    },
    "refuses the call": (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
    "closes the connection": (stream) => stream.session?.destroy(),
  };
  for (const [how, ending] of Object.entries(endings))
    it(`takes it for unavailable, and asks again, when it ${how}`, async () => {
      end = ending;
      assert.equal((await call(2)).kind, "unavailable");
      assert.ok(calls >= 2, `${calls} calls`);
    });

  it("takes its own giving up for what it is", async () => {
    const leaving = new AbortController();
    end = () => leaving.abort();
    assert.equal((await call(3, leaving.signal)).kind, "cancelled");
    assert.equal(calls, 1);
  });
});
