import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { until } from "../../../pkg/testkit/until.js";
import { Cloud, projectRoot } from "../support/cloud.js";
import { getJson, tokenOf } from "../support/identity.js";
import { UNSETTLED } from "./consistency.js";
import { CloudDatabase } from "./database.js";
import type { Place } from "./http.js";
import { HttpClient } from "./http.js";
import { LeakWatch } from "./leaks.js";

const VERSION = { "openstack-api-version": "compute 2.79" };
const TOKENS = ["admin", "demo", "stranger", "unscoped", "revoked", "expired"] as const;
export type TokenName = (typeof TOKENS)[number];

interface Made {
  readonly id: string;
}

/** A whole cloud, users of two projects in it, and a little of everything that a request may name. */
export class Stage {
  readonly #tokens = new Map<string, string>();
  /** What `<name>` stands for in the tables. */
  readonly names = new Map<string, string>();
  readonly #clients = new Map<Place, HttpClient>();
  readonly #portOffset: number;
  #cloud: Cloud | undefined;
  #database: CloudDatabase | undefined;
  #leaks: LeakWatch | undefined;

  constructor(portOffset: number) {
    this.#portOffset = portOffset;
  }

  get cloud(): Cloud {
    return need(this.#cloud);
  }
  get database(): CloudDatabase {
    return need(this.#database);
  }
  get leaks(): LeakWatch {
    return need(this.#leaks);
  }

  token(name: string): string {
    return need(this.#tokens.get(name));
  }

  http(place: Place): HttpClient {
    let client = this.#clients.get(place);
    if (!client) this.#clients.set(place, (client = new HttpClient(this.cloud.port(PORTS[place]))));
    return client;
  }

  async open(): Promise<void> {
    const cloud = (this.#cloud = await Cloud.start({
      portOffset: this.#portOffset,
      args: ["--driver", "fake", "--hosts", "2"],
    }));
    this.#database = await CloudDatabase.open(cloud.home);
    for (const user of ["admin", "demo"] as const) this.#tokens.set(user, await tokenOf(cloud, user));
    await this.#enrolStranger();
    await this.#makeDeadTokens();
    await this.#makeThings();
    // What is still going on behind the answers would be taken for something that a bad request has made.
    await until(async () => (await this.database.rows<{ count: number }>(UNSETTLED))[0]?.count === 0, {
      timeoutMs: 120_000,
      everyMs: 250,
      what: "all that was made to be settled",
    });
    this.#leaks = new LeakWatch({
      home: cloud.home,
      project: projectRoot,
      machine: hostname().split(".")[0] ?? "localhost",
      secrets: TOKENS.map((name) => this.token(name)),
      foreign: [need(this.names.get("other-project")), need(this.names.get("other-server")), "strangers-own"],
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    await this.#database?.close();
    if (this.#cloud === undefined) return;
    await this.#cloud.stop();
    this.#cloud.forget();
  }

  /** Creates through REST. @throws on any other answer than success */
  async make<T>(place: Place, path: string, body: unknown, as: TokenName = "admin"): Promise<T> {
    const answer = await this.http(place).ask({
      method: "POST",
      path,
      body: JSON.stringify(body),
      headers: { "x-auth-token": this.token(as), "content-type": "application/json", ...VERSION },
    });
    assert.ok(answer.status >= 200 && answer.status < 300, `POST ${path}: ${answer.status} ${answer.text}`);
    return answer.json as T;
  }

  async get<T>(place: Place, path: string, as: TokenName = "admin"): Promise<T> {
    return getJson<T>(`http://127.0.0.1:${this.cloud.port(PORTS[place])}${path}`, this.token(as), VERSION);
  }

  /** A project of its own with one user, who has nothing to do with the others. */
  async #enrolStranger(): Promise<void> {
    const { project } = await this.make<{ project: Made }>("identity", "/v3/projects", {
      project: { name: "strangers" },
    });
    const { user } = await this.make<{ user: Made }>("identity", "/v3/users", {
      user: { name: "stranger", password: "stranger-pw" },
    });
    const { roles } = await this.get<{ roles: { id: string; name: string }[] }>("identity", "/v3/roles");
    const member = need(roles.find(({ name }) => name === "member"));
    const granted = await this.http("identity").ask({
      method: "PUT",
      path: `/v3/projects/${project.id}/users/${user.id}/roles/${member.id}`,
      headers: { "x-auth-token": this.token("admin") },
    });
    assert.equal(granted.status, 204);
    this.names.set("other-project", project.id);
    this.#tokens.set(
      "stranger",
      await this.#issue({ id: user.id, password: "stranger-pw" }, { project: { id: project.id } }),
    );
    this.#tokens.set("unscoped", await this.#issue({ id: user.id, password: "stranger-pw" }, "unscoped"));
    this.#tokens.set(
      "revoked",
      await this.#issue({ id: user.id, password: "stranger-pw" }, { project: { id: project.id } }),
    );
    this.#tokens.set(
      "expired",
      await this.#issue({ id: user.id, password: "stranger-pw" }, { project: { id: project.id } }),
    );
  }

  async #issue(user: { id: string; password: string }, scope: unknown): Promise<string> {
    const body = { auth: { identity: { methods: ["password"], password: { user } }, scope } };
    const answer = await this.http("identity").ask({
      method: "POST",
      path: "/v3/auth/tokens",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.headers["x-subject-token"]);
  }

  async #makeDeadTokens(): Promise<void> {
    const revoked = await this.http("identity").ask({
      method: "DELETE",
      path: "/v3/auth/tokens",
      headers: { "x-auth-token": this.token("admin"), "x-subject-token": this.token("revoked") },
    });
    assert.equal(revoked.status, 204);
    await this.database.run(
      "UPDATE standalone.identity_token SET expires_at = now() - interval '1 hour' WHERE token_hash = $1",
      [createHash("sha256").update(this.token("expired")).digest()],
    );
  }

  async #makeThings(): Promise<void> {
    const {
      images: [image],
    } = await this.get<{ images: Made[] }>("image", "/v2/images", "demo");
    const {
      networks: [network],
    } = await this.get<{ networks: Made[] }>("network", "/v2.0/networks", "demo");
    const { flavors } = await this.get<{ flavors: { id: string; name: string }[] }>(
      "compute",
      "/v2.1/flavors",
      "demo",
    );
    const flavor = need(flavors.find(({ name }) => name === "m1.nano"));
    const {
      hypervisors: [hypervisor],
    } = await this.get<{ hypervisors: Made[] }>("compute", "/v2.1/os-hypervisors");
    const { projects } = await this.get<{ projects: { id: string; name: string }[] }>(
      "identity",
      "/v3/projects",
    );
    const facts: Record<string, string> = {
      image: need(image).id,
      network: need(network).id,
      flavor: flavor.id,
      hypervisor: need(hypervisor).id,
      missing: "00000000-0000-4000-8000-00000000dead",
      project: need(projects.find(({ name }) => name === "demo")).id,
      "no-id": "not-a-uuid",
    };
    for (const [name, value] of Object.entries(facts)) this.names.set(name, value);
    for (const name of TOKENS) this.names.set(`${name}-token`, this.token(name));
    this.names.set("server", await this.boot("demo", "demos-own"));
    this.names.set("other-server", await this.boot("stranger", "strangers-own"));
    await this.make("compute", "/v2.1/os-keypairs", { keypair: { name: "demos-key" } }, "demo");
    await this.make("compute", "/v2.1/os-keypairs", { keypair: { name: "strangers-own" } }, "stranger");
  }

  /** A running server. @returns its id */
  async boot(as: TokenName, name: string): Promise<string> {
    const server = {
      name,
      flavorRef: this.names.get("flavor"),
      imageRef: this.names.get("image"),
      networks: [{ uuid: this.names.get("network") }],
    };
    const made = await this.make<{ server: Made }>("compute", "/v2.1/servers", { server }, as);
    const status = async (): Promise<string> =>
      (await this.get<{ server: { status: string } }>("compute", `/v2.1/servers/${made.server.id}`, as))
        .server.status;
    await until(async () => (await status()) === "ACTIVE", {
      timeoutMs: 120_000,
      everyMs: 200,
      what: `${name} to run`,
    });
    return made.server.id;
  }
}

export const PORTS: Readonly<Record<Place, number>> = {
  compute: 8774,
  placement: 8778,
  identity: 5000,
  image: 9292,
  network: 9696,
  metadata: 8775,
};

function need<T>(value: T | undefined): T {
  assert.ok(value !== undefined, "the stage is not set");
  return value;
}
