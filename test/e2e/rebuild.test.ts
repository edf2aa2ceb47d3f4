import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 20_300;
const NEW = { OS_COMPUTE_API_VERSION: "2.90" };
const says = (words: string): string => `#!/bin/sh
echo "${words}: $(wget -qO- http://169.254.169.254/openstack/latest/meta_data.json)" > /dev/console
`;

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly addresses: unknown;
  readonly image: string;
  readonly properties: unknown;
}

/** A rebuild as its user types it, seen from inside the guest. */
describe("a rebuild of a server with a real guest", function () {
  this.timeout(900_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let id = "";

  const consoleText = (): Promise<string> => owner.run("console", "log", "show", id);
  const show = (): Promise<Shown> => owner.json<Shown>("server", "show", id);
  const reaches = (status: string): Promise<unknown> =>
    until(async () => (await show()).status === status, {
      timeoutMs: 240_000,
      what: `the server to be ${status}`,
    });
  const hears = (pattern: RegExp, after = 0): Promise<string> =>
    until(async () => (await consoleText()).slice(after).match(pattern)?.[0], {
      timeoutMs: 240_000,
      what: `the guest to say ${pattern}`,
    });
  const portsOf = async (): Promise<unknown> =>
    (await owner.json<Record<string, unknown>[]>("port", "list", "--server", id)).map((port) => [
      port["ID"],
      port["MAC Address"],
      port["Fixed IP Addresses"],
    ]);
  const userData = (name: string, words: string): string => {
    const path = join(cloud.home, name);
    writeFileSync(path, says(words));
    return path;
  };

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    // The same system under another name: another image all the same.
    const token = await tokenOf(cloud, "demo");
    const glance = `http://127.0.0.1:${cloud.port(9292)}/v2/images`;
    const headers = { "x-auth-token": token };
    const facts = await getJson<{ disk_format: string; hw_qemu_guest_agent?: string }>(
      `${glance}/${image?.ID}`,
      token,
    );
    const data = new Uint8Array(
      await (await fetch(`${glance}/${image?.ID}/file`, { headers })).arrayBuffer(),
    );
    const made = await fetch(glance, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ name: "other", disk_format: facts.disk_format, container_format: "bare" }),
    });
    const { id: otherId } = (await made.json()) as { id: string };
    const put = await fetch(`${glance}/${otherId}/file`, {
      method: "PUT",
      headers: { ...headers, "content-type": "application/octet-stream" },
      body: data,
    });
    assert.equal(put.status, 204);
    await owner.run(
      ...["server", "create", "--image", image?.ID ?? "", "--flavor", "m1.nano", "--network", "private"],
      ...["--property", "kept=no", "--user-data", userData("old.sh", "old data"), "--wait", "vm"],
    );
    ({ id } = await owner.json<Shown>("server", "show", "vm"));
    await hears(/old data: .*"uuid"/);
    await owner.run("server", "reboot", "--hard", "--wait", id);
    // To its end: what this boot still had to say would be taken for the rebuilt guest's words.
    await hears(/boots=2\b[\s\S]*BOOT-DONE/);
  });
  after(async () => {
    if (!cloud) return;
    await owner.run("server", "delete", "--wait", id).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("gives another system, data and name, and keeps id, ports and addresses", async () => {
    const [before, ports] = [await show(), await portsOf()];
    const length = (await consoleText()).length;
    await owner.run(
      ...["server", "rebuild", "--image", "other", "--name", "anew", "--property", "made=anew"],
      ...["--user-data", userData("new.sh", "new data"), "--wait", id],
    );
    const after = await show();
    assert.deepEqual(
      [after.id, after.addresses, after.name, after.status, await portsOf()],
      [before.id, before.addresses, "anew", "ACTIVE", ports],
    );
    assert.match(after.image, /^other /);
    assert.deepEqual(after.properties, { made: "anew" });
    await hears(/boots=1\b/, length);
    const heard = await hears(/new data: .*\r?\n/, length);
    assert.match(heard, new RegExp(`"uuid": ?"${id}"`));
    assert.match(heard, /"meta": ?\{"made": ?"anew"\}/);
    assert.doesNotMatch((await consoleText()).slice(length), /old data/);
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", id);
    assert.equal(events[0]?.Action, "rebuild");
  });

  it("leaves a stopped server stopped, which starts with the new disk", async () => {
    await owner.run("server", "stop", id);
    await reaches("SHUTOFF");
    const length = (await consoleText()).length;
    await owner.run("server", "rebuild", "--image", "other", id);
    await until(async () => (await show()).status === "SHUTOFF" && !(await busy()), {
      timeoutMs: 240_000,
      what: "the rebuild to end",
    });
    assert.equal((await consoleText()).length, length);
    await owner.run("server", "start", id);
    await reaches("ACTIVE");
    await hears(/boots=1\b/, length);
    await hears(/new data/, length);
  });

  it("is refused while the server is paused, in Nova's words", async () => {
    await owner.run("server", "pause", id);
    await reaches("PAUSED");
    assert.match(
      await owner.fails("server", "rebuild", "--image", "other", id),
      /Cannot 'rebuild' instance .* vm_state paused/,
    );
    await owner.run("server", "unpause", id);
    await reaches("ACTIVE");
  });

  async function busy(): Promise<boolean> {
    const token = await tokenOf(cloud, "demo");
    const { server } = await getJson<{ server: Record<string, unknown> }>(
      `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${id}`,
      token,
    );
    return server["OS-EXT-STS:task_state"] !== null;
  }
});
