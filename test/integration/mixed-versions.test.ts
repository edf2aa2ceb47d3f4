import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { loadRecord, storeRecord } from "../../pkg/cells/servers/domain/records.js";
import { etcdInstalled, freePort } from "../../pkg/testkit/etcd.js";
import { saltIn, saltable, saltedAs } from "../../pkg/testkit/unknown-fields.js";
import { until } from "../../pkg/testkit/until.js";
import { TestDeployment } from "./support/cluster/cluster.js";
import { findNetwork, uploadImage } from "./support/cluster/fixtures.js";
import type { Previous } from "./support/cluster/previous-build.js";
import { checkOut, previousBuild } from "./support/cluster/previous-build.js";
import type { Program } from "./support/cluster/programs.js";
import { Programs } from "./support/cluster/programs.js";
import { Rest, login } from "./support/cluster/rest.js";

interface Server {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly description: string | null;
  readonly "OS-EXT-STS:task_state": string | null;
  readonly "OS-EXT-SRV-ATTR:host": string;
  readonly addresses: Readonly<Record<string, readonly unknown[]>>;
  readonly fault?: unknown;
}

/** One build's processes that matter. */
interface Side {
  readonly conductor: Program;
  readonly cells: Program;
  readonly api: Program;
  readonly all: readonly Program[];
  /** Through its own gateway. */
  readonly rest: Rest;
}

const RECORD = "kilonova.cells.v1.InstanceRecord";
/** Servers that live through everything; as many again are made and deleted meanwhile, twice. Quota is 10. */
const SERVERS = 5;
const PATIENCE_MS = 120_000;

describe("two builds on one database: the previous commit's services and these", function () {
  this.timeout(400_000);
  let previous: Previous;
  let checkout = "";
  let deployment: TestDeployment;
  let old: Side, fresh: Side;
  let image: string, network: string;
  /** Both sides' REST, in turn. */
  let sides: readonly Rest[];

  before(async function () {
    if (!etcdInstalled()) this.skip();
    const found = previousBuild();
    if ("none" in found) {
      console.log(`      not tried: ${found.none}`);
      this.skip();
    }
    previous = found;
    checkout = await checkOut(previous);
    // Nobody dies here: a machine that stands still for a while must not make the living look dead.
    deployment = await TestDeployment.prepare({ leaseTtlMs: 30_000 });
    const before = deployment.withPrograms(await Programs.bundle(deployment.dir, checkout), {
      compute: await freePort(),
      placement: await freePort(),
    });
    // As an upgrade goes: the old services run, the database is migrated, the new ones come beside them.
    await migrate(before, "old");
    const standalone = deployment.standalone();
    const first = await start(before, "old", ["host-1"]);
    await migrate(deployment, "new");
    const second = await start(deployment, "new", ["host-2"]);
    await standalone;
    const { ports } = deployment;
    const token = await login(
      `http://127.0.0.1:${ports.identity}`,
      "admin",
      "admin",
      deployment.adminPassword,
    );
    const rest = ({ ports: { compute } }: TestDeployment): Rest =>
      new Rest(`http://127.0.0.1:${compute}/v2.1`, {
        "X-Auth-Token": token,
        "OpenStack-API-Version": "compute 2.96",
      });
    old = { ...first, rest: rest(before) };
    fresh = { ...second, rest: rest(deployment) };
    sides = [old.rest, fresh.rest];
    const common = { "X-Auth-Token": token };
    [image, network] = await Promise.all([
      uploadImage(new Rest(`http://127.0.0.1:${ports.image}`, common)),
      findNetwork(new Rest(`http://127.0.0.1:${ports.network}`, common)),
    ]);
    await old.rest.expect(200, "flavor", "POST", "/flavors", {
      flavor: { id: "mixed", name: "tiny", vcpus: 1, ram: 64, disk: 1 },
    });
    // Both builds' hosts are known to both builds' schedulers.
    for (const side of sides)
      await until(
        async () =>
          (
            await side.expect<readonly { state: string }[]>(
              200,
              "services",
              "GET",
              "/os-services?binary=nova-compute",
            )
          ).filter(({ state }) => state === "up").length === 2,
        { what: "two hosts to be up", timeoutMs: PATIENCE_MS, everyMs: 100 },
      );
  });

  after(async () => {
    await Promise.all(old?.all.map((program) => program.kill()) ?? []);
    await deployment?.close();
    if (checkout !== "") await rm(checkout, { recursive: true, force: true });
  });

  afterEach(function () {
    if (this.currentTest?.state !== "failed") return;
    for (const { name, lines } of [...(old?.all ?? []), ...(fresh?.all ?? [])])
      console.error(`--- ${name}\n${lines.slice(-12).join("\n")}`);
  });

  const oneOf = (turn: number): Rest => sides[turn % 2] ?? fresh.rest;

  async function create(turn: number): Promise<string> {
    const { id } = await oneOf(turn).expect<{ id: string }>(202, "server", "POST", "/servers", {
      server: {
        name: `mixed-${turn}`,
        description: `born at ${turn}`,
        imageRef: image,
        flavorRef: "mixed",
        networks: [{ uuid: network }],
        metadata: { born: String(turn) },
      },
    });
    return id;
  }

  /** Waits for a status and for rest, as both builds see it. */
  async function reaches(id: string, status: string): Promise<Server> {
    const seen = await Promise.all(
      sides.map((side) =>
        until(
          async () => {
            const server = await side.expect<Server>(200, "server", "GET", `/servers/${id}`);
            if (server.status === "ERROR") throw new Error(JSON.stringify(server.fault));
            return server.status === status && server["OS-EXT-STS:task_state"] === null && server;
          },
          { what: `${id} to be ${status}`, timeoutMs: PATIENCE_MS, everyMs: 100 },
        ),
      ),
    );
    return seen[0] ?? assert.fail();
  }

  const act = (turn: number, id: string, action: string): Promise<unknown> =>
    oneOf(turn).expect(202, "", "POST", `/servers/${id}/action`, { [action]: null });

  /** Everything that a user does with a server, each thing at another build than the one before. */
  async function live(id: string, turn: number): Promise<void> {
    await oneOf(turn).expect(200, "", "PUT", `/servers/${id}`, { server: { name: `renamed-${turn}` } });
    await act(turn + 1, id, "os-stop");
    await oneOf(turn).expect(200, "", "POST", `/servers/${id}/metadata`, { metadata: { lived: "yes" } });
    await reaches(id, "SHUTOFF");
    await oneOf(turn + 1).expect(201, "", "PUT", `/servers/${id}/tags/tag-${turn}`);
    await act(turn, id, "os-start");
    await reaches(id, "ACTIVE");
    const { name, metadata, tags, description, addresses } = await reaches(id, "ACTIVE");
    assert.deepEqual(
      { name, metadata, tags, description, ports: Object.values(addresses).flat().length > 0 },
      {
        name: `renamed-${turn}`,
        metadata: { born: String(turn), lived: "yes" },
        tags: [`tag-${turn}`],
        description: `born at ${turn}`,
        ports: true,
      },
    );
  }

  async function remove(id: string, turn: number): Promise<void> {
    assert.equal((await oneOf(turn).call("DELETE", `/servers/${id}`)).status, 204);
    for (const side of sides)
      await until(async () => (await side.call("GET", `/servers/${id}`)).status === 404, {
        what: `${id} to be gone`,
        timeoutMs: PATIENCE_MS,
        everyMs: 100,
      });
  }

  const rowOf = async (id: string) => {
    const [row] = await deployment.query<{ server: Buffer; details: Buffer }>(
      "SELECT server, details FROM cell1.instance WHERE id = $1",
      [id],
    );
    return loadRecord({ ...(row ?? assert.fail("no record")), number: 0 });
  };

  it("serve creates, changes, actions and deletes at once without a failure, and lose nothing", async () => {
    const working = watchOwners();
    const lasting = await Promise.all(Array.from({ length: SERVERS }, (_, turn) => create(turn)));
    const born = await Promise.all(lasting.map((id) => reaches(id, "ACTIVE")));
    assert.deepEqual(
      [...new Set(born.map((server) => server["OS-EXT-SRV-ATTR:host"]))].toSorted(),
      ["host-1", "host-2"],
      "agents of both builds have work",
    );
    // From now on a build that comes after both has been there too.
    for (const id of lasting) {
      const { server, details } = storeRecord(saltedAs(RECORD, InstanceRecord, await rowOf(id)));
      await deployment.query("UPDATE cell1.instance SET server = $2, details = $3 WHERE id = $1", [
        id,
        server,
        details,
      ]);
    }
    const passing = async (turn: number): Promise<void> => {
      const id = await create(turn);
      await reaches(id, "ACTIVE");
      await remove(id, turn + 1);
    };
    await Promise.all([
      ...lasting.map((id, turn) => live(id, turn)),
      ...lasting.map(async (_, turn) => {
        await passing(SERVERS + turn);
        await passing(SERVERS + turn + 1);
      }),
    ]);
    const owners = await working();
    assert.deepEqual(
      [owners.has(ownerOf(old)), owners.has(ownerOf(fresh))],
      [true, true],
      "conductors of both builds have taken operations",
    );
    if (previous.keepsUnknownFields)
      for (const id of lasting) {
        const left = saltIn(RECORD, InstanceRecord.encode(await rowOf(id)).finish());
        // A server that was started has no fault and is not put away; its rows are in the record only while
        // it travels.
        const gone = (path: string): boolean => /^(server\.(fault|shelving)|records)(\.|$)/.test(path);
        const lost = [...saltable(RECORD)].filter((path) => !left.has(path) && !gone(path));
        assert.deepEqual(lost, [], "fields of a third build that were lost");
      }
    else console.log(`      commit ${previous.commit} keeps no unknown fields: they were not looked for`);
    await Promise.all(lasting.map((id, turn) => remove(id, turn)));
  });

  it("both have done their part in every service", async () => {
    for (const { cells, api } of [old, fresh]) {
      assert.ok((await calls(cells, "CommitStep")) > 0, cells.name);
      assert.ok((await calls(cells, "AcceptOperation")) > 0, cells.name);
      assert.ok((await calls(api, "CreateServers")) > 0, api.name);
    }
  });

  it("neither logs an error", () => {
    const errors = [...old.all, ...fresh.all].flatMap(({ name, lines }) =>
      lines.filter((line) => /"level":"(?:error|fatal)"/.test(line)).map((line) => `${name}: ${line}`),
    );
    assert.deepEqual(errors, []);
  });

  const ownerOf = ({ conductor }: Side): string => conductor.logged("service.starting", "id") ?? "";

  /** Looks who has operations, until it is asked who had. */
  function watchOwners(): () => Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    let over = false;
    const looking = (async () => {
      while (!over) {
        const rows = await deployment.query<{ owner: string }>(
          "SELECT owner FROM global.operation WHERE owner <> '' UNION SELECT owner FROM cell1.operation WHERE owner <> ''",
        );
        for (const { owner } of rows) seen.add(owner);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    return async () => {
      over = true;
      await looking;
      return seen;
    };
  }
});

async function migrate(deployment: TestDeployment, build: string): Promise<void> {
  const { programs } = deployment;
  for (const [part, options] of [
    ["cells", await deployment.cells(`cells-${build}`)],
    ["placement", await deployment.placement(`placement-${build}`)],
  ] as const) {
    const config = await programs.config(`migrate-${part}`, options);
    await programs.kilonova(["manage", "db", "migrate", part, "--config", config]);
  }
}

async function start(deployment: TestDeployment, build: string, hosts: readonly string[]) {
  const { programs } = deployment;
  const [placement, cells, scheduler, conductor, api, gateway, compute] = await Promise.all([
    programs.start("placement", `placement-${build}`, await deployment.placement(`placement-${build}`)),
    programs.start("cells", `cells-${build}`, await deployment.cells(`cells-${build}`)),
    deployment.scheduler(`scheduler-${build}`),
    deployment.conductor(`conductor-${build}`, { ownershipMs: 60_000 }),
    deployment.api(`api-${build}`),
    deployment.gateway(`gateway-${build}`),
    deployment.compute(`compute-${build}`, hosts, await freePort()),
  ]);
  return { conductor, cells, api, all: [placement, cells, scheduler, conductor, api, gateway, compute] };
}

/** How often a process was asked a method. */
async function calls({ statusUrl }: Program, method: string): Promise<number> {
  const text = await (await fetch(`${statusUrl}/metrics`)).text();
  return [...text.matchAll(/^kilonova_rpc_server_duration_seconds_count\{(.*)\} (\d+)$/gm)]
    .filter(([, labels]) => labels?.includes(`${method}"`))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
