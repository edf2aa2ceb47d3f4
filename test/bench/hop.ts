import {
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
} from "../../gen/kilonova/api/v1/key_pairs_service.js";
import { CommonErrors, rootCtx, silentLogger } from "../../pkg/kernel/index.js";
import { LocalNetwork, bindService, connectRpc, startRpcServer } from "../../pkg/platform/rpc/index.js";
import type { Channel } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { many } from "./rest.js";

const CALLS = 5000;

/** CPU of one unary call, both ends together: inside one process and over HTTP/2 on loopback. */
export async function measureHop(): Promise<{ what: string; cpuMsEach: number; perSecond: number }[]> {
  const unserved = async (): Promise<never> => {
    throw CommonErrors.UNIMPLEMENTED({ what: "This method" });
  };
  const answer = GetKeyPairResponse.fromPartial({
    keyPair: { name: "k", publicKey: "x".repeat(400), fingerprint: "f".repeat(47), userId: "u".repeat(32) },
  });
  const bindings = [
    bindService(KeyPairsServiceDefinition, {
      getKeyPair: async () => answer,
      createKeyPair: unserved,
      listKeyPairs: unserved,
      deleteKeyPair: unserved,
    }),
  ];
  const options = { log: silentLogger, tracer: noTracer, metrics: new Metrics() };
  const peer = { service: "gateway", host: "" };
  const network = new LocalNetwork(options);
  network.listen("api", bindings);
  const server = await startRpcServer({ ...options, address: "127.0.0.1:0", bindings, trustedPeer: peer });
  const remote = connectRpc(`127.0.0.1:${server.port}`);
  const rows = [
    await measure("a unary hop inside one process", network.connect("api", peer)),
    await measure("a unary hop over HTTP/2", remote),
  ];
  await remote.close();
  await server.close();
  return rows;
}

async function measure(
  what: string,
  channel: Channel,
): Promise<{ what: string; cpuMsEach: number; perSecond: number }> {
  const client = channel.client(KeyPairsServiceDefinition);
  const ctx = rootCtx({ requestId: "req-00000000-0000-4000-8000-000000000000" });
  const call = (): Promise<unknown> => client.getKeyPair(ctx, { name: "k" });
  await many(1000, 32, call);
  const before = process.cpuUsage();
  const started = performance.now();
  await many(CALLS, 32, call);
  const used = process.cpuUsage(before);
  return {
    what,
    cpuMsEach: (used.user + used.system) / 1000 / CALLS,
    perSecond: CALLS / ((performance.now() - started) / 1000),
  };
}
