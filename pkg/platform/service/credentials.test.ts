import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AvailabilityZonesServiceDefinition,
  ListAvailabilityZonesResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { silentLogger } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import type { RpcServer } from "../rpc/index.js";
import { bindService, connectRpc, startRpcServer } from "../rpc/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import { Certificates } from "./certificates.js";
import { clusterSections } from "./config.js";
import type { RpcConfig } from "./config.js";
import type { Credentials } from "./credentials.js";
import { openCredentials } from "./credentials.js";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];

describe("platform/service: mutual TLS", () => {
  let dir: string;
  const open: Credentials[] = [];
  const path = (file: string): string => join(dir, file);
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", [...args], { stdio: "ignore" });
  };
  const issue = (identity: string, file: string): void =>
    openssl(
      "req",
      "-x509",
      "-CA",
      path("ca.crt"),
      "-CAkey",
      path("ca.key"),
      ...KEY,
      "-subj",
      `/CN=${file}`,
      "-addext",
      `subjectAltName=URI:kilonova://${identity}`,
      "-addext",
      "basicConstraints=critical,CA:FALSE",
      "-keyout",
      path(`${file}.key`),
      "-out",
      path(`${file}.crt`),
    );
  const credentials = (file: string): Credentials => {
    const config: RpcConfig = {
      ...clusterSections.rpc.parse({}),
      tlsCaFile: path("ca.crt"),
      tlsCertFile: path(`${file}.crt`),
      tlsKeyFile: path(`${file}.key`),
    };
    const opened = openCredentials(config, silentLogger);
    open.push(opened);
    return opened;
  };

  before(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-tls-"));
    openssl("req", "-x509", ...KEY, "-subj", "/CN=ca", "-keyout", path("ca.key"), "-out", path("ca.crt"));
    issue("global/api", "api");
    issue("global/gateway", "gateway");
    issue("cell1/compute/h1", "h1");
  });
  after(() => {
    for (const one of open) one.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Serves as `file`; the one zone is called after who asked. */
  const serve = (file: string): Promise<RpcServer> =>
    startRpcServer({
      address: "127.0.0.1:0",
      credentials: credentials(file).server("h1"),
      log: silentLogger,
      tracer: noTracer,
      metrics: new Metrics(),
      bindings: [
        bindService(AvailabilityZonesServiceDefinition, {
          listAvailabilityZones: async (ctx) =>
            ListAvailabilityZonesResponse.fromPartial({ zones: [{ name: ctx.peer.service }] }),
        }),
      ],
    });

  async function ask(
    server: RpcServer,
    as: string,
    wanted: { readonly service: string; readonly host: string },
  ): Promise<string | undefined> {
    const channel = connectRpc(`127.0.0.1:${server.port}`, {
      credentials: credentials(as).channel("h1", wanted),
      serverName: wanted.service,
      attempts: 1,
    });
    try {
      return (await channel.client(AvailabilityZonesServiceDefinition).listAvailabilityZones(testCtx(), {}))
        .zones[0]?.name;
    } finally {
      await channel.close();
    }
  }

  it("tells the server who asks, by the certificate", async () => {
    const server = await serve("api");
    assert.equal(await ask(server, "gateway", { service: "api", host: "" }), "gateway");
    await server.close();
  });

  it("refuses a server that is another service, or another host, than was wanted", async () => {
    const [api, h1] = [await serve("api"), await serve("h1")];
    await assert.rejects(ask(api, "gateway", { service: "cells", host: "" }), { kind: "unavailable" });
    await assert.rejects(ask(h1, "gateway", { service: "compute", host: "h2" }), { kind: "unavailable" });
    assert.equal(await ask(h1, "gateway", { service: "compute", host: "h1" }), "gateway");
    await Promise.all([api.close(), h1.close()]);
  });

  it("takes `{host}` from the logical host", async () => {
    const server = await serve("{host}");
    assert.equal(await ask(server, "gateway", { service: "compute", host: "h1" }), "gateway");
    await server.close();
  });

  it("names the files when they cannot be used, and asks for them when there are none", () => {
    assert.throws(() => credentials("nobody").server(""), { reason: "CERTIFICATE_UNUSABLE" });
    assert.throws(() => openCredentials(clusterSections.rpc.parse({}), silentLogger), {
      reason: "NO_CERTIFICATE",
    });
  });

  it("takes over renewed files, and keeps the old ones while the new do not fit together", async () => {
    issue("global/api", "renewed");
    const certificates = new Certificates(
      { ca: path("ca.crt"), certificate: path("renewed.crt"), key: path("renewed.key") },
      60_000,
      silentLogger,
    );
    const seen: string[] = [];
    certificates.addIdentityCertificateListener((update) => {
      seen.push(update?.certificate.toString() ?? "nothing");
    });
    await new Promise((resolve) => process.nextTick(resolve));
    const before = certificates.notAfterMs;
    writeFileSync(path("renewed.key"), "half a file");
    certificates.reload();
    assert.deepEqual([seen.length, certificates.notAfterMs], [1, before]);
    issue("global/api", "renewed");
    certificates.reload();
    assert.equal(seen.length, 2);
    assert.notEqual(seen[0], seen[1]);
    certificates.close();
  });
});
