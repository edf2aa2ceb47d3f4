import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { nova } from "./support/nova.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 19_000;
const NEW = { OS_COMPUTE_API_VERSION: "2.90" };
const PASSWORD = "open.sesame-42";
/** So much that bringing it to the host takes longer than the second in which nothing is told. */
const LARGE_MIB = 384;

/** Says each second how long it runs, and what the administrator's password is hashed to when it changes. */
const WATCH = `#!/bin/sh
(
  while :; do
    now=$(sed -n 's/^root:\\([^:]*\\):.*/\\1/p' /etc/shadow)
    [ "$now" = "$last" ] || echo "shadow=$now" > /dev/console
    last=$now
    read -r up _ < /proc/uptime
    echo "tick=$up" > /dev/console
    sleep 1
  done
) &
`;

/** What changes a server where it is, typed by its user, and looked at from inside the guest. */
describe("actions on a server with a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let admin: OpenStackShell;
  const name = "vm";

  const consoleText = (): Promise<string> => owner.run("console", "log", "show", name);
  const ticks = async (): Promise<number> => (await consoleText()).split("tick=").length - 1;
  const status = async (): Promise<string> =>
    (await owner.json<{ status: string }>("server", "show", name)).status;
  const reaches = (wanted: string): Promise<unknown> =>
    until(async () => (await status()) === wanted, { timeoutMs: 240_000, what: `${name} to be ${wanted}` });

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    admin = new OpenStackShell({ ...cloud.credentials("admin"), ...NEW });
    const userData = join(cloud.home, "watch.sh");
    writeFileSync(userData, WATCH);
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    await owner.run(
      ...["server", "create", "--image", image?.ID ?? "", "--flavor", "m1.nano", "--network", "private"],
      ...["--user-data", userData, "--wait", name],
    );
    await until(async () => (await ticks()) > 0, { timeoutMs: 240_000, what: "the guest to tick" });
  });
  after(async () => {
    if (!cloud) return;
    await owner.run("server", "delete", "--wait", name).catch(() => {});
    await Promise.all([owner, admin].map((shell) => shell.close()));
    await cloud.stop();
    cloud.forget();
  });

  it("freezes the guest while it is paused, and lets it go on where it was", async () => {
    await owner.run("server", "pause", name);
    await reaches("PAUSED");
    const frozen = await ticks();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    assert.equal(await ticks(), frozen);
    await owner.run("server", "unpause", name);
    await reaches("ACTIVE");
    await until(async () => (await ticks()) > frozen, { timeoutMs: 120_000, what: "the guest to tick on" });
  });

  it("keeps its owner from changing it while an administrator's lock is on, and says why", async () => {
    await admin.run("server", "lock", "--reason", "under-investigation", await idOf());
    const shown = await owner.json<{ locked: boolean; locked_reason: string }>("server", "show", name);
    assert.deepEqual([shown.locked, shown.locked_reason], [true, "under-investigation"]);
    assert.match(await owner.fails("server", "pause", name), /is locked/);
    assert.match(await owner.fails("server", "unlock", name), /403|allow/);
    await admin.run("server", "unlock", await idOf());
    const after = await owner.json<{ locked: boolean }>("server", "show", name);
    assert.equal(after.locked, false);
  });

  it("lets its owner lock and unlock it", async () => {
    await owner.run("server", "lock", name);
    await admin.run("server", "show", await idOf());
    await owner.run("server", "unlock", name);
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", name);
    const told = events.map(({ Action }) => Action);
    for (const action of ["pause", "unpause", "lock", "unlock"]) assert.ok(told.includes(action), action);
  });

  it("has the agent inside the guest set the administrator's password", async () => {
    await nova(cloud.credentials("demo"), ["set-password", name], `${PASSWORD}\n${PASSWORD}\n`);
    const hashed = await until(
      async () => [...(await consoleText()).matchAll(/shadow=(\$6\$([^$\s]+)\$\S+)\s/g)].at(-1),
      { timeoutMs: 120_000, what: "the guest to see another password" },
    );
    const [, hash = "", salt = ""] = hashed;
    assert.equal(execFileSync("openssl", ["passwd", "-6", "-salt", salt, PASSWORD]).toString().trim(), hash);
    await reaches("ACTIVE");
  });

  it("refuses what does not fit the server's state, in Nova's words", async () => {
    assert.match(
      await owner.fails("server", "unpause", name),
      /Cannot 'unpause' instance .* vm_state active/,
    );
  });

  it("tells how far the build of a server from a large image is, until it runs", async () => {
    const disk = join(cloud.home, "large.raw");
    const image = join(cloud.home, "large.qcow2");
    const chunk = randomBytes(16 << 20);
    for (let at = 0; at < LARGE_MIB; at += 16) appendFileSync(disk, chunk);
    execFileSync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", disk, image]);
    rmSync(disk);
    const token = await tokenOf(cloud, "demo");
    const put = async (method: string, path: string, type: string, body: string | Uint8Array<ArrayBuffer>) =>
      fetch(`http://127.0.0.1:${cloud.port(9292)}/v2/images${path}`, {
        method,
        headers: { "x-auth-token": token, "content-type": type },
        body,
      });
    const facts = { name: "large", disk_format: "qcow2", container_format: "bare" };
    const made = await put("POST", "", "application/json", JSON.stringify(facts));
    const { id: imageId } = (await made.json()) as { id: string };
    const bytes = Uint8Array.from(readFileSync(image));
    assert.equal((await put("PUT", `/${imageId}/file`, "application/octet-stream", bytes)).status, 204);
    rmSync(image);
    await owner.run(
      ...["server", "create", "--image", "large", "--flavor", "m1.tiny", "--network", "private", "large"],
    );
    const { id } = await owner.json<{ id: string }>("server", "show", "large");
    const url = `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${id}`;
    const seen: number[] = [];
    await until(
      async () => {
        const { server } = await getJson<{ server: { status: string; progress: number } }>(url, token);
        assert.notEqual(server.status, "ERROR");
        if (server.status === "BUILD") seen.push(server.progress);
        return server.status === "ACTIVE" && server.progress === 0;
      },
      { timeoutMs: 180_000, everyMs: 50, what: "the large server to run" },
    );
    const told = seen.filter((percent) => percent > 0);
    assert.ok(told.length > 0, `progress: ${seen.join(" ")}`);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    await owner.run("server", "delete", "--wait", "large");
    await owner.run("image", "delete", "large");
  });

  async function idOf(): Promise<string> {
    return (await owner.json<{ id: string }>("server", "show", name)).id;
  }
});
