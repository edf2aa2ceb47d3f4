import assert from "node:assert/strict";
import { until } from "../../../pkg/testkit/until.js";
import type { Row, ServerState } from "./row.js";
import type { Stage } from "./stage.js";

export type Fields = Readonly<Record<string, unknown>>;
type User = "demo" | "admin";

/** What brings a server that has just been made into a state: an action, and its body. */
const WAY: Partial<Readonly<Record<ServerState, readonly [action: string, args: unknown, user?: User]>>> = {
  SHUTOFF: ["os-stop", null],
  PAUSED: ["pause", null],
  SUSPENDED: ["suspend", null],
  RESCUE: ["rescue", null],
  SHELVED: ["shelve", null],
  VERIFY_RESIZE: ["migrate", null, "admin"],
  ERROR: ["os-resetState", { state: "error" }, "admin"],
  LOCKED: ["lock", null],
};

/** What one row stands on: a server of its own and whatever else its arguments name. Made when asked for. */
export class Scene {
  readonly #stage: Stage;
  readonly #from: ServerState;
  readonly #values = new Map<string, Promise<string>>();
  /** Unlike that of any other row. */
  readonly name: string;

  constructor(stage: Stage, number: number, from: ServerState) {
    this.#stage = stage;
    this.#from = from;
    this.name = `row${number}`;
  }

  /** Fills in what stands in braces. @throws on a name that nothing here is called by */
  async #fill(words: readonly string[]): Promise<string[]> {
    const filled: string[] = [];
    for (const word of words) {
      let text = word;
      for (const [whole, what = ""] of word.matchAll(/\{([a-z ]+)\}/g))
        text = text.replace(whole, await this.value(what));
      filled.push(text);
    }
    return filled;
  }

  /** Makes all that the arguments need, and the server even if they name none. */
  async prepare({ args, given = [] }: Row): Promise<string[]> {
    if (this.#from !== "NONE") await this.value("server");
    for (const what of given) await this.value(what);
    return this.#fill(args);
  }

  /** Made once for a row. */
  value(what: string): Promise<string> {
    const made = this.#values.get(what) ?? this.#make(what);
    this.#values.set(what, made);
    return made;
  }

  get serverId(): Promise<string> {
    return this.value("server");
  }

  /** The server as its project sees it at the newest microversion. */
  async server(id?: string): Promise<Fields | undefined> {
    const { status, body } = await this.#stage.compute(
      "admin",
      "GET",
      `/servers/${id ?? (await this.serverId)}`,
    );
    return status === 404 ? undefined : (body["server"] as Fields);
  }

  /** What lies below a server, or anywhere else in the Compute API, as an administrator sees it. */
  async read(path: string): Promise<Record<string, unknown>> {
    const { status, body } = await this.#stage.compute("admin", "GET", path);
    assert.equal(status, 200, `GET ${path}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Waits until the server with this name, made by the command, is as it should be. */
  async named(name: string, wanted = "ACTIVE"): Promise<Fields> {
    let seen: Fields = {};
    await until(
      async () => {
        const { servers } = await this.read(`/servers/detail?all_tenants=1&name=^${name}$`);
        seen = (servers as Fields[])[0] ?? {};
        return seen["status"] === wanted || seen["status"] === "ERROR";
      },
      { timeoutMs: 120_000, everyMs: 50, what: `${name} to be ${wanted}` },
    );
    assert.equal(seen["status"], wanted, JSON.stringify(seen["fault"]));
    return seen;
  }

  async #make(what: string): Promise<string> {
    const stage = this.#stage;
    const [kind, which = ""] = what.split(" ");
    switch (kind) {
      case "name":
        return this.name;
      case "server":
        return this.#server(this.name, this.#from);
      case "other":
        return this.#server(`${this.name}-other`, "ACTIVE");
      case "image":
      case "network":
      case "project":
      case "host":
      case "spare":
      case "directory":
        return stage.known(kind);
      case "elsewhere": {
        const here = (await this.server())?.["OS-EXT-SRV-ATTR:host"];
        const host = await stage.known("host");
        return here === host ? stage.known("neighbour") : host;
      }
      case "flavor":
        return stage.known(which === "" ? "flavor" : `flavor ${which}`);
      case "port":
        return stage.made("network", "/v2.0/ports", {
          port: { network_id: await stage.known("network"), name: `${this.name}-port` },
        });
      case "volume":
        return this.#volume();
      case "bootable":
        return this.#volume({ imageRef: await stage.known("image") });
      case "snapshot":
        return this.#snapshot();
      case "attached":
        return this.#attached();
      case "holder":
        await this.value("attached");
        return this.serverId;
      case "group":
        return stage.made("network", "/v2.0/security-groups", {
          security_group: { name: `${this.name}-group` },
        });
      case "keypair":
        await stage.computeDone("demo", "POST", "/os-keypairs", {
          keypair: { name: `${this.name}-key`, public_key: stage.publicKey },
        });
        return `${this.name}-key`;
      case "servergroup": {
        const body = await stage.computeDone("demo", "POST", "/os-server-groups", {
          server_group: { name: `${this.name}-group`, policy: "soft-anti-affinity" },
        });
        return String((body["server_group"] as Fields)["id"]);
      }
      case "aggregate": {
        const body = await stage.computeDone("admin", "POST", "/os-aggregates", {
          aggregate: { name: `${this.name}-aggregate` },
        });
        return String((body["aggregate"] as Fields)["id"]);
      }
      case "peopled": {
        const aggregate = await this.value("aggregate");
        await stage.computeDone("admin", "POST", `/os-aggregates/${aggregate}/action`, {
          add_host: { host: await stage.known("spare") },
        });
        return aggregate;
      }
      case "user":
        return stage.known("user");
      case "newflavor": {
        const body = await stage.computeDone("admin", "POST", "/flavors", {
          flavor: {
            ...{ name: `${this.name}-flavor`, ram: 64, vcpus: 1, disk: 1 },
            ...(which === "roomy" ? { swap: 128, "OS-FLV-EXT-DATA:ephemeral": 2 } : {}),
            "os-flavor-access:is_public": which !== "private" && which !== "shared",
          },
        });
        const id = String((body["flavor"] as Fields)["id"]);
        if (which === "shared")
          await stage.computeDone("admin", "POST", `/flavors/${id}/action`, {
            addTenantAccess: { tenant: await stage.known("project") },
          });
        return id;
      }
      case "address":
        return this.#address(0);
      case "second":
        return this.#address(1);
      case "free":
        return this.#freeAddress();
      case "floating":
        return this.#floating();
      case "led":
        return this.#led();
      case "cardport":
        return this.#interface("port_id");
      case "request": {
        const body = await this.read(`/servers/${await this.serverId}/os-instance-actions`);
        return String((body["instanceActions"] as Fields[]).at(-1)?.["request_id"]);
      }
      case "tagged":
        await stage.computeDone("demo", "PUT", `/servers/${await this.serverId}/tags`, {
          tags: ["red", "blue"],
        });
        return this.serverId;
      case "described":
        await stage.computeDone("demo", "PUT", `/servers/${await this.serverId}`, {
          server: { description: "before" },
        });
        return this.serverId;
      case "meta":
        await stage.computeDone("demo", "POST", `/servers/${await this.serverId}/metadata`, {
          metadata: { colour: "red", size: "small" },
        });
        return this.serverId;
      case "grouped": {
        await stage.computeDone("demo", "POST", `/servers/${await this.serverId}/action`, {
          addSecurityGroup: { name: await this.value("group") },
        });
        return this.value("group");
      }
      case "service":
        return this.#spareService();
      case "hypervisor": {
        const { hypervisors } = await this.read("/os-hypervisors");
        const spare = await stage.known("spare");
        return String((hypervisors as Fields[]).find((one) => one["hypervisor_hostname"] === spare)?.["id"]);
      }
      default:
        throw new Error(`nothing is called {${what}}`);
    }
  }

  async #server(name: string, state: ServerState): Promise<string> {
    const stage = this.#stage;
    const body = await stage.computeDone("demo", "POST", "/servers", {
      server: {
        ...{ name, imageRef: await stage.known("image"), flavorRef: await stage.known("flavor") },
        networks: [{ uuid: await stage.known("network") }],
      },
    });
    const id = String((body["server"] as Fields)["id"]);
    await stage.reaches(id, "ACTIVE");
    if (state === "SOFT_DELETED") await stage.computeDone("demo", "DELETE", `/servers/${id}`);
    const way = WAY[state];
    if (way !== undefined) {
      const [action, args, user = "demo"] = way;
      await stage.computeDone(user, "POST", `/servers/${id}/action`, { [action]: args });
    }
    await stage.reaches(id, state === "LOCKED" || state === "NONE" ? "ACTIVE" : state);
    return id;
  }

  async #volume(more: object = {}): Promise<string> {
    const project = await this.#stage.known("project");
    const id = await this.#stage.made("volume", `/v3/${project}/volumes`, {
      volume: { name: `${this.name}-volume`, size: 1, ...more },
    });
    await this.#volumeBecomes(id, "available");
    return id;
  }

  /** Of a volume from which a server can boot. */
  async #snapshot(): Promise<string> {
    const [stage, project] = [this.#stage, await this.#stage.known("project")];
    const id = await stage.made("volume", `/v3/${project}/snapshots`, {
      snapshot: { volume_id: await this.value("bootable"), name: `${this.name}-snapshot` },
    });
    await until(
      async () => {
        const { body } = await stage.rest("demo", "volume", "GET", `/v3/${project}/snapshots/${id}`);
        return (body["snapshot"] as Fields)["status"] === "available";
      },
      { timeoutMs: 120_000, everyMs: 50, what: "the snapshot to be available" },
    );
    return id;
  }

  /** @returns the id of the volume */
  async #attached(): Promise<string> {
    const id = await this.value("volume");
    await this.#stage.computeDone("demo", "POST", `/servers/${await this.serverId}/os-volume_attachments`, {
      volumeAttachment: { volumeId: id },
    });
    await this.#volumeBecomes(id, "in-use");
    return id;
  }

  async #volumeBecomes(id: string, status: string): Promise<void> {
    const path = `/v3/${await this.#stage.known("project")}/volumes/${id}`;
    await until(
      async () =>
        ((await this.#stage.rest("demo", "volume", "GET", path)).body["volume"] as Fields)["status"] ===
        status,
      { timeoutMs: 120_000, everyMs: 50, what: `the volume to be ${status}` },
    );
  }

  /** Whether the one volume of the row's server is deleted with it. */
  async diesWithServer(wanted: boolean): Promise<void> {
    const { volumeAttachments } = await this.read(`/servers/${await this.serverId}/os-volume_attachments`);
    const seen = volumeAttachments as { readonly delete_on_termination: boolean }[];
    assert.deepEqual(
      seen.map((one) => one.delete_on_termination),
      [wanted],
    );
  }

  volumeBecomes = async (status: string): Promise<void> =>
    this.#volumeBecomes(await this.value("volume"), status);

  /** The server's addresses, in no special order. */
  async addresses(): Promise<string[]> {
    const { addresses } = await this.read(`/servers/${await this.serverId}/ips`);
    return Object.values(addresses as Record<string, Fields[]>)
      .flat()
      .map((one) => String(one["addr"]));
  }

  async #address(index: number): Promise<string> {
    const id = await this.serverId;
    if (index > 0)
      await this.#stage.computeDone("demo", "POST", `/servers/${id}/os-interface`, {
        interfaceAttachment: { net_id: await this.#stage.known("network") },
      });
    return (await this.addresses()).at(index) ?? assert.fail("the server has no such address");
  }

  /** An address of the network that nobody has. */
  async #freeAddress(): Promise<string> {
    const own = await this.#address(0);
    const last = 200 + (Number(this.name.replace(/\D/g, "")) % 50);
    return own.replace(/\d+$/, String(last));
  }

  /** A floating IP that leads nowhere. */
  async #floating(): Promise<string> {
    const stage = this.#stage;
    const { body } = await stage.rest("demo", "network", "POST", "/v2.0/floatingips", {
      floatingip: { floating_network_id: await stage.known("public") },
    });
    return String((body["floatingip"] as Fields)["floating_ip_address"]);
  }

  async #led(): Promise<string> {
    const address = await this.value("floating");
    const { id } = await this.#floatingIp();
    const floatingip = { port_id: await this.value("cardport") };
    await this.#stage.rest("demo", "network", "PUT", `/v2.0/floatingips/${String(id)}`, { floatingip });
    return address;
  }

  async #floatingIp(): Promise<Fields> {
    const path = `/v2.0/floatingips?floating_ip_address=${await this.value("floating")}`;
    const { body } = await this.#stage.rest("demo", "network", "GET", path);
    return (body["floatingips"] as Fields[])[0] ?? {};
  }

  /** The port to which the floating IP leads; null: nowhere. */
  async floatingPort(): Promise<unknown> {
    return (await this.#floatingIp())["port_id"];
  }

  async interfaces(): Promise<Fields[]> {
    return (await this.read(`/servers/${await this.serverId}/os-interface`))[
      "interfaceAttachments"
    ] as Fields[];
  }

  async #interface(field: string): Promise<string> {
    return String((await this.interfaces())[0]?.[field]);
  }

  async #spareService(): Promise<string> {
    const spare = await this.#stage.known("spare");
    const { services } = await this.read(`/os-services?binary=nova-compute&host=${spare}`);
    return String((services as Fields[])[0]?.["id"]);
  }

  /** Leaves room for the others; nothing waits for it. */
  async leave(): Promise<void> {
    for (const what of ["server", "other"])
      if (this.#values.has(what)) {
        const id = await this.value(what).catch(() => undefined);
        if (id !== undefined)
          await this.#stage.compute("admin", "POST", `/servers/${id}/action`, { forceDelete: null });
      }
  }
}
