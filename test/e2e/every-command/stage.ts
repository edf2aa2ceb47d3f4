import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../pkg/testkit/until.js";
import { endVolumeDaemonsBelow } from "../../../pkg/compute/index.js";
import { Cloud } from "../support/cloud.js";
import { tokenOf } from "../support/identity.js";
import { NovaShell } from "../support/nova-shell.js";
import { OpenStackShell } from "../support/openstack-shell.js";
import type { Fields } from "./scene.js";

type User = "demo" | "admin";
/** The newest that Debian 12's `openstack` and `nova` know both. */
const NEWEST = "2.92";
const PORTS = { network: 9696, volume: 8776, image: 9292 } as const;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The cloud on which the rows are tried: three hosts, of which one is spare and gets no servers. */
export class Stage {
  readonly publicKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBJbVzJ0gtvJW2c0g3T5qY6UL1n7Yk5yG5H1y1oK4cZk test";
  readonly #directory = mkdtempSync(join(tmpdir(), "kilonova-every-command-"));
  readonly #known = new Map<string, string>();
  readonly #shells = new Map<string, OpenStackShell | NovaShell>();
  #cloud: Cloud | undefined;
  #tokens: Readonly<Record<User, string>> = { demo: "", admin: "" };

  async open(): Promise<void> {
    this.#cloud = await Cloud.start({
      portOffset: 9_500,
      args: ["--driver", "fake", "--hosts", "3"],
      env: {
        KILONOVA_CELLS_MAX_INSTANCES: "-1",
        KILONOVA_CELLS_MAX_SERVER_GROUPS: "-1",
        KILONOVA_CELLS_MAX_CORES: "-1",
        KILONOVA_CELLS_MAX_RAM_MIB: "-1",
        KILONOVA_VOLUME_QUOTA_VOLUMES: "-1",
        KILONOVA_CELLS_RECLAIM_INSTANCE_INTERVAL_S: "3600",
        KILONOVA_CELLS_SHELVED_OFFLOAD_S: "-1",
      },
    });
    this.#tokens = { demo: await tokenOf(this.#cloud, "demo"), admin: await tokenOf(this.#cloud, "admin") };
    this.#files();
    await this.#look();
    await this.#route();
  }

  /** A program called `ssh` that tells what it was called with; and what commands read. */
  #files(): void {
    const ssh = join(this.#directory, "ssh");
    writeFileSync(ssh, '#!/bin/sh\necho "ssh was called with: $*"\n');
    chmodSync(ssh, 0o755);
    writeFileSync(join(this.#directory, "data"), "#!/bin/sh\n");
    writeFileSync(join(this.#directory, "key.pub"), `${this.publicKey}\n`);
    this.#known.set("directory", this.#directory);
  }

  async #look(): Promise<void> {
    const first = (body: Record<string, unknown>, list: string): Fields =>
      (body[list] as Fields[])[0] ?? assert.fail(`the cloud has no ${list}`);
    const image = await this.rest("demo", "image", "GET", "/v2/images");
    this.#known.set("image", String(first(image.body, "images")["id"]));
    const network = await this.rest("demo", "network", "GET", "/v2.0/networks?name=private");
    this.#known.set("network", String(first(network.body, "networks")["id"]));
    const { flavors } = await this.computeDone("demo", "GET", "/flavors");
    for (const { id, name } of flavors as Fields[]) this.#known.set(`flavor ${String(name)}`, String(id));
    this.#known.set("flavor", this.#known.get("flavor m1.nano") ?? "");
    const { services } = await this.computeDone("admin", "GET", "/os-services?binary=nova-compute");
    const hosts = (services as Fields[]).map((one) => String(one["host"])).sort();
    const [host = "", neighbour = "", spareHost = ""] = hosts;
    this.#known.set("host", host).set("neighbour", neighbour).set("spare", spareHost);
    const spare = (services as Fields[]).find((one) => one["host"] === hosts[2]);
    await this.computeDone("admin", "PUT", `/os-services/${String(spare?.["id"])}`, { status: "disabled" });
    const { status, body } = await this.#identity();
    assert.equal(status, 200);
    const { project, user } = body["token"] as { project: Fields; user: Fields };
    this.#known.set("project", String(project["id"])).set("user", String(user["id"]));
  }

  /** A network outside, and a router between it and the servers', so that floating IPs can lead to them. */
  async #route(): Promise<void> {
    const outside = await this.made(
      "network",
      "/v2.0/networks",
      { network: { name: "public", "router:external": true } },
      "admin",
    );
    await this.made(
      "network",
      "/v2.0/subnets",
      { subnet: { network_id: outside, ip_version: 4, cidr: "198.51.100.0/24", enable_dhcp: false } },
      "admin",
    );
    this.#known.set("public", outside);
    const router = await this.made(
      "network",
      "/v2.0/routers",
      { router: { name: "way-out", external_gateway_info: { network_id: outside } } },
      "admin",
    );
    const leg = { port: { network_id: await this.known("network"), name: "leg" } };
    const port = await this.made("network", "/v2.0/ports", leg, "admin");
    const path = `/v2.0/routers/${router}/add_router_interface`;
    const { status, body } = await this.rest("admin", "network", "PUT", path, { port_id: port });
    assert.equal(status, 200, JSON.stringify(body));
  }

  async #identity(): Promise<Answer> {
    const token = this.#tokens.demo;
    const url = `${this.cloud.credentials("demo")["OS_AUTH_URL"]}/auth/tokens`;
    const answer = await fetch(url, { headers: { "x-auth-token": token, "x-subject-token": token } });
    return { status: answer.status, body: (await answer.json()) as Answer["body"] };
  }

  get cloud(): Cloud {
    return this.#cloud ?? assert.fail("the cloud is not up");
  }

  async known(what: string): Promise<string> {
    return this.#known.get(what) ?? assert.fail(`the cloud has no ${what}`);
  }

  /** The `openstack` client of a user, in its interactive mode. */
  openstack(user: User, at: "2.1" | undefined): OpenStackShell {
    const made = this.#shell(`openstack ${user} ${at}`, () => new OpenStackShell(this.#env(user, at)));
    assert.ok(made instanceof OpenStackShell);
    return made;
  }

  nova(user: User): NovaShell {
    const made = this.#shell(`nova ${user}`, () => new NovaShell(this.#env(user, undefined)));
    assert.ok(made instanceof NovaShell);
    return made;
  }

  #shell(key: string, make: () => OpenStackShell | NovaShell): OpenStackShell | NovaShell {
    const made = this.#shells.get(key) ?? make();
    this.#shells.set(key, made);
    return made;
  }

  #env(user: User, at: "2.1" | undefined): Record<string, string> {
    return {
      ...this.cloud.credentials(user),
      OS_COMPUTE_API_VERSION: at ?? NEWEST,
      PATH: `${this.#directory}:${process.env["PATH"] ?? ""}`,
    };
  }

  async rest(
    user: User,
    service: keyof typeof PORTS | "compute",
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer> {
    const root =
      service === "compute"
        ? `http://127.0.0.1:${this.cloud.port(8774)}/v2.1`
        : `http://127.0.0.1:${this.cloud.port(PORTS[service])}`;
    const answer = await fetch(root + path, {
      method,
      headers: {
        "x-auth-token": this.#tokens[user],
        "content-type": "application/json",
        "openstack-api-version": "compute 2.96",
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? {} : (JSON.parse(text) as Answer["body"]) };
  }

  compute(user: User, method: string, path: string, body?: object): Promise<Answer> {
    return this.rest(user, "compute", method, path, body);
  }

  /** @throws when it was refused */
  async computeDone(user: User, method: string, path: string, body?: object): Promise<Answer["body"]> {
    const answer = await this.compute(user, method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Makes something in another service. @returns its id */
  async made(service: keyof typeof PORTS, path: string, body: object, user: User = "demo"): Promise<string> {
    const answer = await this.rest(user, service, "POST", path, body);
    assert.ok(answer.status < 300, `POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    const [thing] = Object.values(answer.body);
    return String((thing as Fields)["id"]);
  }

  /** Waits for a lasting state. */
  async reaches(id: string, wanted: string): Promise<void> {
    let status: unknown;
    await until(
      async () => {
        const server = (await this.compute("admin", "GET", `/servers/${id}`)).body["server"] as Fields;
        status = server["status"];
        return server["OS-EXT-STS:task_state"] === null && (status === wanted || status === "ERROR");
      },
      { timeoutMs: 120_000, everyMs: 30, what: `${id} to be ${wanted}` },
    );
    assert.equal(status, wanted);
  }

  async close(): Promise<void> {
    for (const shell of this.#shells.values()) await shell.close();
    rmSync(this.#directory, { recursive: true, force: true });
    if (this.#cloud === undefined) return;
    await this.#cloud.stop();
    await endVolumeDaemonsBelow(this.#cloud.home);
    this.#cloud.forget();
  }
}
