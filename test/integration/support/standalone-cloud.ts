import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { glanceClient } from "../../../pkg/clients/glance/index.js";
import type { Glance } from "../../../pkg/clients/glance/index.js";
import { keystoneClient } from "../../../pkg/clients/keystone/index.js";
import type { Keystone } from "../../../pkg/clients/keystone/index.js";
import { neutronClient } from "../../../pkg/clients/neutron/index.js";
import type { Neutron } from "../../../pkg/clients/neutron/index.js";
import { silentLogger } from "../../../pkg/kernel/index.js";
import { systemClock } from "../../../pkg/platform/process/clock.js";
import { systemIds } from "../../../pkg/platform/process/ids.js";
import type { PortEvent } from "../../../pkg/standalone/network/index.js";
import { startStandalone } from "../../../pkg/standalone/wire.js";
import type { Database } from "../../../pkg/platform/db/index.js";
import type { Standalone, StandaloneOptions } from "../../../pkg/standalone/wire.js";
import { testCtx } from "../../../pkg/testkit/ctx.js";
import { testDatabase } from "../../../pkg/testkit/postgres.js";

export const passwords = { admin: "admin-password", demo: "demo-password", nova: "nova-password" } as const;

/** Identity, Image and Network on free ports over a schema of their own, and our clients towards them. */
export interface TestCloud {
  readonly cloud: Standalone;
  readonly keystone: Keystone;
  readonly glance: Glance;
  readonly neutron: Neutron;
  readonly events: PortEvent[];
  /** The services' schema. */
  readonly database: Database<unknown>;
  /** Where image data lies. */
  readonly imageDirectory: string;
  /** A token by password, scoped to the user's default project or the given one. */
  login(user: "admin" | "demo" | "nova", project?: string): Promise<string>;
  /** Sends a request as it is. */
  raw(
    url: string,
    init?: RequestInit & { readonly token?: string },
  ): Promise<{ status: number; headers: Headers; body: Readonly<Record<string, unknown>> }>;
  /** Starts another one over the same data. */
  restart(): Promise<Standalone>;
  close(): Promise<void>;
}

export async function testCloud(overrides: Partial<StandaloneOptions> = {}): Promise<TestCloud> {
  const database = await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), "kilonova-images-"));
  const events: PortEvent[] = [];
  const schema = `${database.schema}_standalone`;
  const options: StandaloneOptions = {
    pool: database.pool,
    schema,
    clock: systemClock,
    ids: systemIds,
    random: Math.random,
    log: silentLogger,
    ports: { identity: 0, image: 0, network: 0 },
    imageDirectory: directory,
    passwordCost: { logN: 10, p: 1 },
    services: () => [
      { type: "volumev3", name: "cinderv3", publicUrl: "http://127.0.0.1:8776/v3/%(project_id)s" },
    ],
    seed: { passwords },
    onPortEvents: async (_ctx, batch) => {
      events.push(...batch);
    },
    ...overrides,
  };
  const cloud = await startStandalone(testCtx(), options);
  const others: Standalone[] = [];
  const keystone = keystoneClient({
    authUrl: `${cloud.urls.identity}/v3`,
    region: "RegionOne",
    clock: systemClock,
    random: Math.random,
    credentials: {
      username: "nova",
      password: passwords.nova,
      userDomainName: "Default",
      projectName: "service",
      projectDomainName: "Default",
    },
  });
  const shared = { session: keystone.session, clock: systemClock, random: Math.random };
  const raw: TestCloud["raw"] = async (url, { token, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("X-Auth-Token", token);
    const response = await fetch(url, { ...init, headers });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith("{") ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {},
    };
  };
  return {
    cloud,
    keystone,
    glance: glanceClient(shared),
    neutron: neutronClient(shared),
    events,
    database: database.open({ schema }),
    imageDirectory: directory,
    raw,
    login: async (user, project) => {
      const auth = {
        identity: {
          methods: ["password"],
          password: { user: { name: user, domain: { id: "default" }, password: passwords[user] } },
        },
        ...(project === undefined
          ? {}
          : { scope: { project: { name: project, domain: { name: "Default" } } } }),
      };
      const answer = await raw(`${cloud.urls.identity}/v3/auth/tokens`, {
        method: "POST",
        body: JSON.stringify({ auth }),
      });
      const token = answer.headers.get("x-subject-token");
      if (token === null) throw new Error(`login failed: ${answer.status}`);
      return token;
    },
    restart: async () => {
      const other = await startStandalone(testCtx(), options);
      others.push(other);
      return other;
    },
    close: async () => {
      await Promise.all([cloud, ...others].map((one) => one.close(0)));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
