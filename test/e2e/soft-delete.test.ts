import assert from "node:assert/strict";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 14_500;
const NEW = { OS_COMPUTE_API_VERSION: "2.90" };
/** One server fits. */
const QUOTA = { KILONOVA_CELLS_MAX_INSTANCES: "1" };

/** Deletions that can be taken back, and resets of the state, typed by a user and by an operator. */
describe("deleted servers that can be restored", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let admin: OpenStackShell;
  let id = "";

  before(async () => {
    await start(3_600);
    id = await create("vm");
  });
  after(async () => {
    if (!cloud) return;
    await leave();
    await cloud.stop();
    cloud.forget();
  });

  /** @param home  of the cloud before */
  async function start(intervalS: number, home?: string): Promise<void> {
    cloud = await Cloud.start({
      portOffset: PORT_OFFSET,
      args: ["--hosts", "1"],
      env: { ...QUOTA, KILONOVA_CELLS_RECLAIM_INSTANCE_INTERVAL_S: String(intervalS) },
      ...(home === undefined ? {} : { home }),
    });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    admin = new OpenStackShell({ ...cloud.credentials("admin"), ...NEW });
  }
  const leave = (): Promise<unknown> => Promise.all([owner, admin].map((shell) => shell.close()));

  async function create(name: string): Promise<string> {
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    await owner.run(
      ...["server", "create", "--image", image?.ID ?? "", "--flavor", "m1.nano", "--network", "private"],
      ...["--wait", name],
    );
    return (await owner.json<{ id: string }>("server", "show", name)).id;
  }
  const shown = (of = id) =>
    owner.json<{ status: string; "OS-EXT-STS:vm_state": string; "OS-EXT-STS:power_state": unknown }>(
      ...["server", "show", of],
    );
  const reaches = (wanted: string, of = id): Promise<unknown> =>
    until(async () => (await shown(of)).status === wanted, { timeoutMs: 240_000, what: `to be ${wanted}` });
  const listed = async (shell: OpenStackShell, ...more: readonly string[]): Promise<string[]> =>
    (await shell.json<{ ID: string }[]>("server", "list", ...more)).map(({ ID }) => ID);
  const act = async (body: object): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${id}/action`, {
      method: "POST",
      headers: { "x-auth-token": await tokenOf(cloud, "demo"), "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };

  const used = async (): Promise<number | undefined> =>
    (await owner.json<{ Name: string; Value: number }[]>("limits", "show", "--absolute")).find(
      ({ Name }) => Name === "totalInstancesUsed",
    )?.Value;

  it("are powered off and out of lists, but there for who knows their id", async () => {
    await owner.run("server", "delete", id);
    await reaches("SOFT_DELETED");
    const { "OS-EXT-STS:vm_state": vmState, "OS-EXT-STS:power_state": power } = await shown();
    assert.equal(vmState, "soft-delete");
    assert.match(String(power), /^(4|Shutdown)$/);
    assert.deepEqual(await listed(owner), []);
    assert.deepEqual(await listed(admin, "--all-projects"), []);
    const token = await tokenOf(cloud, "admin");
    const query = "all_tenants=1&deleted=1";
    const url = `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers?${query}`;
    const { servers } = await getJson<{ servers: { id: string }[] }>(url, token);
    assert.deepEqual(
      servers.map((one) => one.id),
      [id],
    );
  });

  it("refuse what needs a running server, in Nova's words", async () => {
    assert.match(
      await owner.fails("server", "pause", id),
      /Cannot 'pause' instance .* while it is in vm_state soft-delete/,
    );
  });

  it("run again after a restore, unless the quota is used up by then", async () => {
    // What the deleted one used is given back right after the deletion's end, in another database.
    await until(async () => (await used()) === 0, { timeoutMs: 120_000, what: "the quota to be given back" });
    const other = await create("other");
    const { status, text } = await act({ restore: null });
    assert.equal(status, 403);
    assert.match(text, /Quota exceeded for instances: Requested 1, but already used 1 of 1 instances/);
    const { text: forced } = await forceDelete(other);
    assert.equal(forced, "");
    await until(async () => !(await listed(owner)).includes(other), { timeoutMs: 120_000 });
    await until(async () => (await act({ restore: null })).status === 202, { timeoutMs: 120_000 });
    await reaches("ACTIVE");
    assert.deepEqual(await listed(owner), [id]);
    const { status: again, text: why } = await act({ restore: null });
    assert.deepEqual(
      [again, /Cannot 'restore' instance .* while it is in vm_state active/.test(why)],
      [409, true],
    );
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", id);
    assert.deepEqual(
      events.slice(0, 2).map(({ Action }) => Action),
      ["restore", "delete"],
    );
  });

  it("are restored by the client's own command", async () => {
    await owner.run("server", "delete", id);
    await reaches("SOFT_DELETED");
    await owner.run("server", "restore", id);
    await reaches("ACTIVE");
  });

  it("are put into another state by an operator, and by nobody else", async () => {
    assert.match(await owner.fails("server", "set", "--state", "error", id), /reset_state|403/);
    await admin.run("server", "set", "--state", "error", id);
    assert.equal((await shown()).status, "ERROR");
    await admin.run("server", "set", "--state", "active", id);
    assert.equal((await shown()).status, "ACTIVE");
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", id);
    assert.equal(events[0]?.Action, "resetState");
  });

  it("are gone for good once their time is over, also across a restart with a shorter one", async () => {
    await owner.run("server", "delete", id);
    await reaches("SOFT_DELETED");
    await leave();
    await cloud.stop();
    await start(5, cloud.home);
    await until(async () => /No server|could not be found/i.test(await owner.fails("server", "show", id)), {
      timeoutMs: 120_000,
      what: "the server to be reclaimed",
      everyMs: 1_000,
    });
  });

  async function forceDelete(of: string): Promise<{ text: string }> {
    return { text: (await owner.run("server", "delete", "--force", of)).trim() };
  }
});
