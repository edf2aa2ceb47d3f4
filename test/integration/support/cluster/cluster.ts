import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import type { TestEtcd } from "../../../../pkg/testkit/etcd.js";
import { freePort, startTestEtcd } from "../../../../pkg/testkit/etcd.js";
import { testCluster } from "../../../../pkg/testkit/postgres.js";
import type { Authority } from "./certificates.js";
import { createAuthority } from "./certificates.js";
import type { Options, Program } from "./programs.js";
import { Programs } from "./programs.js";

const PASSWORD = "cluster-test-password";
const UUIDS = {
  cell0: "00000000-0000-0000-0000-000000000000",
  cell1: "11111111-1111-4111-8111-111111111111",
} as const;
/** Deployments of one run share a server, not a database. */
let databases = 0;

/** A real deployment on loopback: PostgreSQL, etcd, certificates, and one process per service. */
export class TestDeployment {
  readonly dir: string;
  readonly programs: Programs;
  readonly authority: Authority;
  readonly ports: {
    readonly identity: number;
    readonly image: number;
    readonly network: number;
    readonly compute: number;
    readonly placement: number;
    readonly metadata: number;
    readonly console: number;
  };
  readonly adminPassword = PASSWORD;
  readonly etcd: TestEtcd;
  readonly #databaseUrl: string;
  readonly #keys: { readonly sealing: string; readonly tokens: string };
  readonly #coordination: Options[string];

  private constructor(
    parts: Pick<TestDeployment, "dir" | "programs" | "authority" | "ports" | "etcd">,
    databaseUrl: string,
    keys = { sealing: randomBytes(32).toString("base64"), tokens: randomBytes(32).toString("base64") },
    coordination: Options[string] = {},
  ) {
    this.dir = parts.dir;
    this.programs = parts.programs;
    this.authority = parts.authority;
    this.ports = parts.ports;
    this.etcd = parts.etcd;
    this.#databaseUrl = databaseUrl;
    this.#keys = keys;
    this.#coordination = coordination;
  }

  /** The same deployment, for starting programs of another build in it. @param ports  those that differ */
  withPrograms(programs: Programs, ports: Partial<TestDeployment["ports"]> = {}): TestDeployment {
    const { dir, authority, etcd } = this;
    return new TestDeployment(
      { dir, programs, authority, etcd, ports: { ...this.ports, ...ports } },
      this.#databaseUrl,
      this.#keys,
      this.#coordination,
    );
  }

  /** Everything below the services. @param coordination  options of every process's section `registry` */
  static async prepare(coordination: Options[string] = {}): Promise<TestDeployment> {
    const dir = await mkdtemp("/tmp/kilonova-test-cluster-");
    const [programs, authority, databaseUrl, etcd] = await Promise.all([
      Programs.bundle(dir),
      createAuthority(dir),
      createDatabase(),
      startTestEtcd(),
    ]);
    const [identity = 0, image = 0, network = 0, compute = 0, placement = 0, metadata = 0, console = 0] =
      await Promise.all(Array.from({ length: 7 }, freePort));
    return new TestDeployment(
      {
        ...{ dir, programs, authority, etcd },
        ports: { identity, image, network, compute, placement, metadata, console },
      },
      databaseUrl,
      undefined,
      coordination,
    );
  }

  /** The options of `cells`: also what `kilonova manage db` reads. */
  async cells(as = "cells"): Promise<Options> {
    return {
      ...(await this.#common(as, "global/cells")),
      sealing: { keys: [{ id: "1", key: this.#keys.sealing }] },
      databases: {
        globalUrl: this.#databaseUrl,
        maxConnections: 12,
        cells: Object.entries(UUIDS).map(([name, uuid]) => ({ name, uuid, url: this.#databaseUrl })),
      },
    };
  }

  async placement(as = "placement"): Promise<Options> {
    return {
      ...(await this.#common(as, "global/placement")),
      database: { url: this.#databaseUrl, maxConnections: 6 },
    };
  }

  standalone(): Promise<Program> {
    const { identity, image, network, compute, placement } = this.ports;
    return this.programs.start("standalone", "standalone", {
      database: { url: this.#databaseUrl, maxConnections: 6 },
      standalone: {
        identityPort: identity,
        imagePort: image,
        networkPort: network,
        imageDir: join(this.dir, "images"),
        volumePort: 0,
        volumeDir: join(this.dir, "volumes"),
        adminPassword: PASSWORD,
        demoPassword: PASSWORD,
        servicePassword: PASSWORD,
        computeUrl: `http://127.0.0.1:${compute}/v2.1`,
        placementUrl: `http://127.0.0.1:${placement}`,
      },
    });
  }

  async scheduler(as = "scheduler"): Promise<Program> {
    return this.programs.start("scheduler", as, {
      ...(await this.#common(as, "global/scheduler")),
      process: { host: as },
    });
  }

  /** @param more  of its section `conductor` */
  async conductor(as: string, more: Options[string] = {}): Promise<Program> {
    return this.programs.start("conductor", as, {
      ...(await this.#common(as, "global/conductor")),
      ...this.#identity(),
      process: { host: as },
      conductor: { ownershipMs: 3_000, pollMs: 500, ...more },
    });
  }

  /** @param more  options that not every build has */
  async api(as = "api", more: Options = {}): Promise<Program> {
    return this.programs.start("api", as, {
      ...(await this.#common(as, "global/api")),
      ...this.#identity(),
      tokens: { keys: [{ id: "1", key: this.#keys.tokens }] },
      publicGrpc: { listen: "127.0.0.1:0" },
      ...more,
    });
  }

  async gateway(as = "gateway"): Promise<Program> {
    return this.programs.start("gateway", as, {
      ...(await this.#common(as, "global/gateway")),
      ...this.#identity(),
      gateway: { port: this.ports.compute, identityUrl: `http://127.0.0.1:${this.ports.identity}` },
      placementRest: { listen: `127.0.0.1:${this.ports.placement}` },
    });
  }

  async metadata(): Promise<Program> {
    return this.programs.start("metadata", "metadata", {
      ...(await this.#common("metadata", "global/metadata")),
      metadata: { listen: `127.0.0.1:${this.ports.metadata}`, sharedSecret: PASSWORD },
    });
  }

  async console(): Promise<Program> {
    return this.programs.start("console", "console", {
      ...(await this.#common("console", "global/console")),
      consoleRest: { listen: `127.0.0.1:${this.ports.console}` },
    });
  }

  /** A compute process with hosts of the fake driver. @param more  of its section `compute` */
  async compute(
    as: string,
    hosts: readonly string[],
    firstPort: number,
    more: Options[string] = {},
  ): Promise<Program> {
    const stateDir = join(this.dir, as);
    await mkdir(stateDir, { recursive: true });
    await Promise.all(hosts.map((host) => this.authority.issue(`cell1/compute/${host}`, host)));
    return this.programs.start("compute", as, {
      ...this.#registry(),
      ...this.#identity(),
      rpc: { ...this.#tls("{host}"), listen: `127.0.0.1:${firstPort}` },
      compute: { driver: "fake", hosts, cell: "cell1", ...more },
      hostState: { stateDir, guestSeed: randomBytes(32).toString("base64") },
    });
  }

  /** Runs `kilonova …` as the operator of the deployment. */
  async operate(...args: readonly string[]): Promise<string> {
    return this.programs.kilonova(
      args,
      await this.programs.config("operator", await this.#common("operator", "global/operator")),
    );
  }

  /** How many operations a process owns that have not ended. @param owner  its id, from its log */
  async unfinishedOf(owner: string): Promise<number> {
    const parts = ["global", ...Object.keys(UUIDS)].map(
      (schema) =>
        `SELECT id FROM ${schema}.operation WHERE owner = $1 AND state IN ('running', 'parked', 'undoing')`,
    );
    return (await this.query(parts.join(" UNION ALL "), [owner])).length;
  }

  /** One statement at the database of all services, past them. */
  async query<T extends object>(text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
    const client = new pg.Client({ connectionString: this.#databaseUrl });
    await client.connect();
    try {
      return (await client.query<T>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    await this.programs.close();
    await this.etcd.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #common(file: string, identity: string): Promise<Options> {
    await this.authority.issue(identity, file);
    return { ...this.#registry(), rpc: this.#tls(file) };
  }

  #registry(): Options {
    return { registry: { etcdEndpoints: [this.etcd.endpoint], ...this.#coordination } };
  }

  #tls(file: string): Readonly<Record<string, string>> {
    return {
      tlsCaFile: this.authority.ca,
      tlsCertFile: join(this.dir, `${file}.crt`),
      tlsKeyFile: join(this.dir, `${file}.key`),
    };
  }

  #identity(): Options {
    return { identity: { authUrl: `http://127.0.0.1:${this.ports.identity}/v3`, password: PASSWORD } };
  }
}

async function createDatabase(): Promise<string> {
  const {
    connection: { host, port, user, database },
  } = await testCluster();
  const client = new pg.Client({ host, port, user, database });
  await client.connect();
  const name = `kilonova_cluster_${process.pid}_${++databases}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`;
}
