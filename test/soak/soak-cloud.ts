import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import type { FakeRule } from "../../gen/kilonova/compute/v1/agent_service.js";
import { endGuestsBelow, endVolumeDaemonsBelow } from "../../pkg/compute/index.js";
import { connectRpc } from "../../pkg/platform/rpc/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { freePort } from "../../pkg/testkit/etcd.js";
import { until } from "../../pkg/testkit/until.js";
import { TestDeployment } from "../integration/support/cluster/cluster.js";
import { findNetwork, uploadImage } from "../integration/support/cluster/fixtures.js";
import type { Program } from "../integration/support/cluster/programs.js";
import { Rest, login } from "../integration/support/cluster/rest.js";

export interface SoakCloudOptions {
  readonly fakeHosts: number;
  /** Image of real guests: a qcow2 file. Absent: there are none. */
  readonly guestImage: string | undefined;
  /** How long deleted servers can be restored, seconds. */
  readonly reclaimS: number;
  /** By how much longer than usual everybody waits for everybody: 1 on a machine of one's own. */
  readonly patience: number;
}

/** A project and its user's token. */
export interface Tenant {
  readonly name: string;
  readonly projectId: string;
  readonly token: string;
}

const AUDIT_MS = 5_000;
const LEASE_MS = 5_000;
const OWNERSHIP_MS = 3_000;
const POLL_MS = 500;
const QEMU_HOST = "qemu-1";

/** A deployment of separate processes that may be killed and come back, and what its users need. */
export class SoakCloud {
  readonly deployment: TestDeployment;
  readonly fakeHosts: readonly string[];
  readonly qemuHost: string | undefined;
  readonly grpcPort: number;
  readonly tenants: readonly [Tenant, Tenant];
  readonly operator: Tenant;
  readonly imageIds: readonly string[];
  /** What real guests boot from; "" without them. */
  readonly guestImageId: string;
  readonly networkId: string;
  /** With all hosts in it. */
  readonly aggregateId: string;
  readonly flavorId = "soak-1";
  /** With room for ephemeral disks and swap. */
  readonly roomyFlavorId = "soak-2";
  /** To which servers are resized. */
  readonly largeFlavorId = "soak-3";
  /** Base address of the Block Storage service, without a version. */
  readonly volumeUrl: string;
  readonly #starts: ReadonlyMap<string, () => Promise<Program>>;
  readonly #programs: Map<string, Program>;
  readonly #ports: ReadonlyMap<string, number>;
  /** Processes that are dead on purpose. */
  readonly #away = new Map<string, Promise<void>>();

  private constructor(
    parts: Pick<
      SoakCloud,
      "deployment" | "fakeHosts" | "qemuHost" | "grpcPort" | "tenants" | "operator" | "imageIds"
    > &
      Pick<SoakCloud, "guestImageId" | "networkId" | "aggregateId" | "volumeUrl">,
    starts: ReadonlyMap<string, () => Promise<Program>>,
    programs: Map<string, Program>,
    ports: ReadonlyMap<string, number>,
  ) {
    this.deployment = parts.deployment;
    this.fakeHosts = parts.fakeHosts;
    this.qemuHost = parts.qemuHost;
    this.grpcPort = parts.grpcPort;
    this.tenants = parts.tenants;
    this.operator = parts.operator;
    this.imageIds = parts.imageIds;
    this.guestImageId = parts.guestImageId;
    this.networkId = parts.networkId;
    this.aggregateId = parts.aggregateId;
    this.volumeUrl = parts.volumeUrl;
    this.#starts = starts;
    this.#programs = programs;
    this.#ports = ports;
  }

  static async start(options: SoakCloudOptions): Promise<SoakCloud> {
    const deployment = await TestDeployment.prepare({ leaseTtlMs: LEASE_MS * options.patience });
    // Guests are users of their own, and their files lie below.
    chmodSync(deployment.dir, 0o711);
    try {
      return await SoakCloud.#in(deployment, options);
    } catch (error) {
      console.error(deployment.programs.tail(10));
      await deployment.close();
      throw error;
    }
  }

  static async #in(deployment: TestDeployment, options: SoakCloudOptions): Promise<SoakCloud> {
    const { programs } = deployment;
    const { patience } = options;
    const paced = { ownershipMs: OWNERSHIP_MS * patience, pollMs: POLL_MS * patience };
    const cells = {
      ...(await deployment.cells()),
      cells: { reclaimInstanceIntervalS: options.reclaimS, maxInstances: -1, maxCores: -1, maxRamMib: -1 },
    };
    const placement = await deployment.placement();
    for (const [what, of] of [["cells", cells] as const, ["placement", placement] as const])
      await programs.kilonova(["manage", "db", "migrate", what, "--config", await programs.config(what, of)]);
    const grpcPort = await freePort();
    const fakeHosts = Array.from({ length: options.fakeHosts }, (_, i) => `host-${i + 1}`);
    const qemuHost = options.guestImage === undefined ? undefined : QEMU_HOST;
    const ports = new Map<string, number>();
    for (const host of [...fakeHosts, ...(qemuHost === undefined ? [] : [qemuHost])])
      ports.set(host, await freePort());
    const compute = (host: string, more: object): (() => Promise<Program>) => {
      return () =>
        deployment.compute(`compute-${host}`, [host], ports.get(host) ?? 0, {
          auditIntervalMs: AUDIT_MS * patience,
          ...more,
        });
    };
    const starts = new Map<string, () => Promise<Program>>([
      ["standalone", () => deployment.standalone()],
      ["placement", () => programs.start("placement", "placement", placement)],
      ["cells", () => programs.start("cells", "cells", cells)],
      ["scheduler", () => deployment.scheduler()],
      ["conductor-1", () => deployment.conductor("conductor-1", paced)],
      ["conductor-2", () => deployment.conductor("conductor-2", paced)],
      ["api", () => deployment.api("api", { publicGrpc: { listen: `127.0.0.1:${grpcPort}` } })],
      ["gateway", () => deployment.gateway()],
      ...fakeHosts.map((host) => [`compute-${host}`, compute(host, {})] as const),
      ...(qemuHost === undefined
        ? []
        : [
            [
              `compute-${qemuHost}`,
              compute(qemuHost, { driver: "qemu", availabilityZone: "qemu", detachTimeoutMs: 2_000 }),
            ] as const,
          ]),
    ]);
    const running = await inTurn(starts);
    const facts = await furnish(deployment, [...ports.keys()], options.guestImage);
    const parts = { deployment, fakeHosts, qemuHost, grpcPort, ...facts };
    return new SoakCloud(parts, starts, running, ports);
  }

  rest(tenant: Tenant, service: "compute" | "image" | "network" | "placement"): Rest {
    const { ports } = this.deployment;
    const path = service === "compute" ? "/v2.1" : "";
    return new Rest(`http://127.0.0.1:${ports[service]}${path}`, { "X-Auth-Token": tenant.token });
  }

  blockStorage({ token, projectId }: Tenant): Rest {
    return new Rest(`${this.volumeUrl}/v3/${projectId}`, {
      "X-Auth-Token": token,
      "OpenStack-API-Version": "volume 3.68",
    });
  }

  /** Kills a process, which comes back by itself. One that is away already is left alone. */
  kill(name: string, awayMs: number): boolean {
    const program = this.#programs.get(name);
    const start = this.#starts.get(name);
    assert.ok(program && start, name);
    if (this.#away.has(name)) return false;
    const back = (async () => {
      await program.kill();
      await delay(awayMs);
      this.#programs.set(name, await supervised(start));
      this.#away.delete(name);
    })();
    // Whoever waits for all of them hears of it.
    back.catch(() => {});
    this.#away.set(name, back);
    return true;
  }

  /** Until every process is there again. @throws when one does not start, or has ended by itself */
  async whole(): Promise<void> {
    await Promise.all(this.#away.values());
    const ended = [...this.#programs.values()].map(async ({ name, ended: end, lines }) => {
      const code = await Promise.race([end, delay(10, "runs")]);
      assert.equal(code, "runs", `${name} has ended by itself:\n${lines.slice(-5).join("\n")}`);
    });
    await Promise.all(ended);
  }

  /** Replaces the rules of a fake host. A host that is away has none. */
  async script(host: string, rules: readonly Partial<FakeRule>[]): Promise<boolean> {
    const pem = await this.deployment.authority.issue("global/operator", "scripting");
    const agent = connectRpc(`127.0.0.1:${this.#ports.get(host) ?? 0}`, {
      credentials: credentials.createSsl(
        readFileSync(this.deployment.authority.ca),
        readFileSync(pem.key),
        readFileSync(pem.certificate),
        { checkServerIdentity: () => undefined },
      ),
      serverName: "compute",
      attempts: 1,
    });
    try {
      await agent
        .client(AgentServiceDefinition)
        .scriptFakeDriver(testCtx({ deadlineMs: Date.now() + 5_000 }), { host, rules: [...rules] });
      return true;
    } catch {
      return false; // It is away.
    } finally {
      await agent.close();
    }
  }

  /** Ends everything, guests that are still there included. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#away.values());
    await this.deployment.programs.close();
    await endGuestsBelow(this.deployment.dir);
    await endVolumeDaemonsBelow(this.deployment.dir);
    await this.deployment.close();
  }
}

/** Starts that are under way at the same time: on a busy machine all at once would wait too long for etcd. */
const STARTS_AT_ONCE = 3;
/** A supervisor starts what could not come up again, on a machine that is too busy for it, say. */
const START_ATTEMPTS = 3;

async function inTurn(starts: ReadonlyMap<string, () => Promise<Program>>): Promise<Map<string, Program>> {
  const running = new Map<string, Program>();
  const left = [...starts];
  const one = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      running.set(next[0], await supervised(next[1]));
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, one));
  return running;
}

async function supervised(start: () => Promise<Program>): Promise<Program> {
  for (let attempt = 1; ; attempt++)
    try {
      return await start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
      console.error(`is started again: ${String(error).slice(0, 2_000)}`);
    }
}

/** Users, images, flavors, an aggregate with all hosts. */
async function furnish(deployment: TestDeployment, hosts: readonly string[], guestImage: string | undefined) {
  const { ports, adminPassword } = deployment;
  const identityUrl = `http://127.0.0.1:${ports.identity}`;
  const adminToken = await login(identityUrl, "admin", "admin", adminPassword);
  const admin = { "X-Auth-Token": adminToken };
  const identity = new Rest(identityUrl, admin);
  const glance = new Rest(`http://127.0.0.1:${ports.image}`, admin);
  const neutron = new Rest(`http://127.0.0.1:${ports.network}`, admin);
  const compute = new Rest(`http://127.0.0.1:${ports.compute}/v2.1`, admin);
  const roles = await identity.expect<readonly { id: string; name: string }[]>(
    200,
    "roles",
    "GET",
    "/v3/roles",
  );
  const volumeUrl = await findBlockStorage(identity);
  const { id: adminProject } = await projectNamed(identity, "admin");
  const blockStorage = new Rest(`${volumeUrl}/v3/${adminProject}`, admin);
  const member = roles.find(({ name }) => name === "member")?.id ?? "";
  const tenant = async (name: string): Promise<Tenant> => {
    const project = await identity.expect<{ id: string }>(201, "project", "POST", "/v3/projects", {
      project: { name },
    });
    const user = await identity.expect<{ id: string }>(201, "user", "POST", "/v3/users", {
      user: { name, password: name },
    });
    const path = `/v3/projects/${project.id}/users/${user.id}/roles/${member}`;
    assert.equal((await identity.call("PUT", path)).status, 204);
    await neutron.call("PUT", `/v2.0/quotas/${project.id}`, { quota: { port: -1 } });
    await blockStorage.expect(200, "quota_set", "PUT", `/os-quota-sets/${project.id}`, {
      quota_set: { volumes: -1, snapshots: -1, gigabytes: -1 },
    });
    return { name, projectId: project.id, token: await login(identityUrl, name, name, name) };
  };
  await until(async () => (await compute.call("GET", "/flavors")).status === 200, {
    timeoutMs: 300_000,
    what: "the cloud to answer",
  });
  await compute.expect(200, "flavor", "POST", "/flavors", {
    flavor: { id: "soak-1", name: "soak", vcpus: 1, ram: 96, disk: 1 },
  });
  await compute.expect(200, "flavor", "POST", "/flavors", {
    flavor: {
      ...{ id: "soak-2", name: "roomy", vcpus: 1, ram: 96, disk: 1 },
      "OS-FLV-EXT-DATA:ephemeral": 2,
      swap: 64,
    },
  });
  await compute.expect(200, "flavor", "POST", "/flavors", {
    flavor: { id: "soak-3", name: "large", vcpus: 2, ram: 128, disk: 2 },
  });
  const { id: aggregateId } = await compute.expect<{ id: number }>(
    200,
    "aggregate",
    "POST",
    "/os-aggregates",
    {
      aggregate: { name: "soak" },
    },
  );
  for (const host of hosts)
    await compute.expect(200, "aggregate", "POST", `/os-aggregates/${aggregateId}/action`, {
      add_host: { host },
    });
  const blank = await uploadImage(glance);
  const other = await uploadImage(glance);
  return {
    tenants: [await tenant("soak-a"), await tenant("soak-b")] as const,
    operator: { name: "admin", projectId: "", token: adminToken },
    imageIds: [blank, other],
    guestImageId: guestImage === undefined ? "" : await uploadGuest(glance, guestImage),
    networkId: await findNetwork(neutron),
    volumeUrl,
    aggregateId: String(aggregateId),
  };
}

async function projectNamed(identity: Rest, name: string): Promise<{ readonly id: string }> {
  const path = `/v3/projects?name=${name}`;
  const found = await identity.expect<readonly { id: string }[]>(200, "projects", "GET", path);
  return found[0] ?? assert.fail(`no project ${name}`);
}

/** It listens on a port of its own choice, which the catalog tells. */
async function findBlockStorage(identity: Rest): Promise<string> {
  const catalog = await identity.expect<
    readonly { type: string; endpoints: readonly { interface: string; url: string }[] }[]
  >(200, "catalog", "GET", "/v3/auth/catalog");
  const url = catalog
    .find(({ type }) => type === "volumev3")
    ?.endpoints.find((one) => one.interface === "public")?.url;
  return new URL(url ?? assert.fail("the catalog has no Block Storage")).origin;
}

async function uploadGuest(glance: Rest, path: string): Promise<string> {
  const { id } = await glance.expect<{ id: string }>(201, "", "POST", "/v2/images", {
    name: "guest",
    disk_format: "qcow2",
    container_format: "bare",
    visibility: "public",
    hw_disk_bus: "virtio",
    hw_qemu_guest_agent: "yes",
  });
  assert.equal((await glance.call("PUT", `/v2/images/${id}/file`, readFileSync(path))).status, 204);
  return id;
}
