import { readFileSync } from "node:fs";
import { credentials as grpcCredentials } from "@grpc/grpc-js";
import { keystoneClient } from "../../pkg/clients/keystone/index.js";
import { buildGateway } from "../../pkg/gateway/index.js";
import { loadConfig } from "../../pkg/platform/config/index.js";
import { createLogger } from "../../pkg/platform/log/index.js";
import { createLifecycle, onSignals, systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { connectRpc } from "../../pkg/platform/rpc/index.js";
import { openTracer } from "../../pkg/platform/telemetry/index.js";
import { createPolicy, parseOverrides } from "../../pkg/policy/index.js";
import { sections } from "./config.js";

const config = loadConfig(sections, { file: process.env["KILONOVA_CONFIG"], env: process.env, ignoreEnv: ["KILONOVA_CONFIG"] });
const { gateway: options, identity, apiPeer: peer, policy, telemetry } = config;
const log = createLogger({ level: telemetry.logLevel, fields: { service: "gateway" } });
const tracer = await openTracer(telemetry, "gateway", "traces.jsonl");
const lifecycle = createLifecycle({ log, budgetMs: 10_000 });
onSignals({ log, drain: () => lifecycle.stop() });

const api = await lifecycle.start("api-channel", async () => {
  const read = (file: string): Buffer => readFileSync(file);
  const tls = peer.tlsCaFile === "" ? {} : { credentials: grpcCredentials.createSsl(read(peer.tlsCaFile), read(peer.tlsKeyFile), read(peer.tlsCertFile)) };
  const channel = connectRpc(peer.address, tls);
  return { value: channel, stop: () => channel.close() };
});
const { username, password, projectName, domainName } = identity;
const tokens = keystoneClient({
  authUrl: identity.authUrl, region: identity.region, clock: systemClock, random: Math.random,
  credentials: { username, password, projectName, userDomainName: domainName, projectDomainName: domainName },
});
const gateway = buildGateway({
  config: options, api, tokens, policy: createPolicy(policy.file === "" ? {} : parseOverrides(readFileSync(policy.file, "utf8"))), log, ids: systemIds,
  startSpan: (name, traceparent) => tracer.start(name, traceparent, {}, "server"),
});
const server = await lifecycle.start("http", async () => {
  const listening = await gateway.start();
  return { value: listening, stop: (budgetMs) => listening.close(budgetMs) };
});
log.info("gateway.ready", { url: server.url });
