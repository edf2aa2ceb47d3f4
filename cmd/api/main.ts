import { readFileSync } from "node:fs";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { agentChannels, buildApi } from "../../pkg/api/index.js";
import { glanceClient } from "../../pkg/clients/glance/index.js";
import { keystoneClient } from "../../pkg/clients/keystone/index.js";
import { neutronClient } from "../../pkg/clients/neutron/index.js";
import { rootCtx, serviceActor } from "../../pkg/kernel/index.js";
import { loadConfig } from "../../pkg/platform/config/index.js";
import { createLogger } from "../../pkg/platform/log/index.js";
import { createLifecycle, onSignals, systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { connectRpc, startRpcServer } from "../../pkg/platform/rpc/index.js";
import { Metrics, openTracer } from "../../pkg/platform/telemetry/index.js";
import { createPolicy, parseOverrides } from "../../pkg/policy/index.js";
import { sections } from "./config.js";

const config = loadConfig(sections, { file: process.env["KILONOVA_CONFIG"], env: process.env, ignoreEnv: ["KILONOVA_CONFIG"] });
const { telemetry, listen, cluster, identity, policy } = config;
const log = createLogger({ level: telemetry.logLevel, fields: { service: "api" } });
const tracer = await openTracer(telemetry, "api", "traces.jsonl");
const serving = { log, tracer, metrics: new Metrics() };
const lifecycle = createLifecycle({ log, budgetMs: 10_000 });
onSignals({ log, drain: () => lifecycle.stop() });

const read = (file: string): Buffer => readFileSync(file);
const pair = (key: string, cert: string): { private_key: Buffer; cert_chain: Buffer }[] => [{ private_key: read(key), cert_chain: read(cert) }];
const secure = cluster.tlsCaFile !== "";
const outward = secure ? { credentials: ChannelCredentials.createSsl(read(cluster.tlsCaFile), read(cluster.tlsKeyFile), read(cluster.tlsCertFile)) } : {};
const inward = secure ? { credentials: ServerCredentials.createSsl(read(cluster.tlsCaFile), pair(cluster.tlsKeyFile, cluster.tlsCertFile), true) } : { trustedPeer: { service: "gateway", host: "" } };
const common = { clock: systemClock, random: Math.random };
const { username, password, projectName, domainName } = identity;
const keystone = keystoneClient({
  ...common, authUrl: identity.authUrl, region: identity.region,
  credentials: { username, password, projectName, userDomainName: domainName, projectDomainName: domainName },
});

const peers = await lifecycle.start("channels", async () => {
  const cells = connectRpc(cluster.cellsAddress, outward);
  const agents = agentChannels((address) => connectRpc(address, outward));
  return { value: { cells, agents }, stop: async () => { await Promise.all([cells.close(), agents.close()]); } };
});
const { bindings } = await lifecycle.start("api", async () => {
  const api = buildApi({
    config: config.api, policy: createPolicy(policy.file === "" ? {} : parseOverrides(readFileSync(policy.file, "utf8"))), clock: systemClock, ids: systemIds,
    cells: peers.cells, agent: (address) => peers.agents.to(address), keystone,
    glance: glanceClient({ ...common, session: keystone.session }), neutron: neutronClient({ ...common, session: keystone.session }),
  });
  api.start(rootCtx({ requestId: `req-${systemIds.uuid()}`, actor: serviceActor("api"), log }));
  return { value: api, stop: () => api.close() };
});
const internal = await lifecycle.start("internal-port", async () => {
  const server = await startRpcServer({ ...serving, address: listen.address, bindings, ...inward });
  return { value: server, stop: (budgetMs) => server.drain(budgetMs) };
});
if (listen.publicAddress !== "") {
  const tls = listen.publicTlsCertFile === "" ? {} : { credentials: ServerCredentials.createSsl(null, pair(listen.publicTlsKeyFile, listen.publicTlsCertFile)) };
  await lifecycle.start("public-port", async () => {
    const server = await startRpcServer({ ...serving, ...tls, address: listen.publicAddress, bindings, authenticate: async (ctx, token) => (await keystone.validate(ctx, token)).actor });
    return { value: server, stop: (budgetMs) => server.drain(budgetMs) };
  });
}
log.info("api.ready", { port: internal.port });
