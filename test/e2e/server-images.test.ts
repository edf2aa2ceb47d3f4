import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { qemuProcesses } from "./support/traces.js";

const PORT_OFFSET = 20_700;
const NEW = { OS_COMPUTE_API_VERSION: "2.90" };
const MARKER = `marker-${randomUUID()}`;

/** Says what it finds on its disk, or leaves it there for the one after; and each second how long it runs. */
const WATCH = `#!/bin/sh
if [ -f /persist/marker ]; then
  echo "found=$(cat /persist/marker)" > /dev/console
else
  echo "${MARKER}" > /persist/marker
  sync
  echo "marked" > /dev/console
fi
(
  while :; do
    read -r up _ < /proc/uptime
    echo "tick=$up" > /dev/console
    sleep 1
  done
) &
`;

interface ImageOfGlance {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

/** Images and backups of a server that goes on meanwhile, typed by its user. */
describe("images of a server with a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let serverId = "";
  const name = "vm";

  const consoleOf = (server: string): Promise<string> => owner.run("console", "log", "show", server);
  const ticks = async (): Promise<number[]> =>
    [...(await consoleOf(name)).matchAll(/tick=([\d.]+)\s/g)].map(([, up]) => Number(up));
  const create = async (server: string, image: string): Promise<void> => {
    const userData = join(cloud.home, "watch.sh");
    writeFileSync(userData, WATCH);
    await owner.run(
      ...["server", "create", "--image", image, "--flavor", "m1.nano", "--network", "private"],
      ...["--user-data", userData, "--wait", server],
    );
  };
  const images = async (): Promise<readonly ImageOfGlance[]> =>
    (
      await getJson<{ images: ImageOfGlance[] }>(
        `http://127.0.0.1:${cloud.port(9292)}/v2/images`,
        await tokenOf(cloud, "demo"),
      )
    ).images;
  /** Its image is there a moment before the operation that has made it is through. */
  const rests = (): Promise<unknown> =>
    until(
      async () => {
        const shown = await owner.json<{ "OS-EXT-STS:task_state": string | null }>("server", "show", name);
        return shown["OS-EXT-STS:task_state"] === null;
      },
      { timeoutMs: 180_000, what: "the operation to end" },
    );
  /** One process, one boot, and a clock that has only gone on. */
  const neverStopped = async (pid: number | undefined): Promise<void> => {
    assert.deepEqual(qemuProcesses(serverId), [pid]);
    const text = await consoleOf(name);
    assert.equal(text.split("BOOT-DONE").length - 1, 1);
    assert.equal(text.split("boots=").length - 1, 1);
    const told = await ticks();
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
  };

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    await create(name, image?.ID ?? "");
    serverId = (await owner.json<{ id: string }>("server", "show", name)).id;
    await until(async () => (await ticks()).length > 0 && (await consoleOf(name)).includes("BOOT-DONE"), {
      timeoutMs: 240_000,
      what: "the guest to tick, and to have booted",
    });
  });
  after(async () => {
    if (!cloud) return;
    for (const server of ["second", name])
      await owner.run("server", "delete", "--wait", server).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("holds what was on the disk, and the guest did not notice", async () => {
    assert.match(await consoleOf(name), /marked/);
    const [pid] = qemuProcesses(serverId);
    const before = (await ticks()).length;
    await owner.run("server", "image", "create", "--name", "picture", "--wait", name);
    await until(async () => (await ticks()).length > before + 2, {
      timeoutMs: 120_000,
      what: "the guest to tick on",
    });
    await neverStopped(pid);
    const shown = await owner.json<{
      status: string;
      visibility: string;
      properties: Record<string, string>;
    }>("image", "show", "picture");
    assert.deepEqual(
      [shown.status, shown.visibility, shown.properties["image_type"], shown.properties["instance_uuid"]],
      ["active", "private", "snapshot", serverId],
    );
    // Its image asks for an agent, so file systems were frozen for the moment, and are no more.
    const text = await consoleOf(name);
    assert.ok(text.includes("file systems freeze: 1") && text.includes("file systems unfreeze: 1"));
    await create("second", "picture");
    await until(async () => (await consoleOf("second")).includes(`found=${MARKER}`), {
      timeoutMs: 240_000,
      what: "the second guest to find the marker",
    });
    assert.match(await consoleOf("second"), /boots=2/);
    await owner.run("server", "delete", "--wait", "second");
  });

  it("is made of a server that is off", async () => {
    await rests();
    await owner.run("server", "stop", name);
    await until(
      async () => (await owner.json<{ status: string }>("server", "show", name)).status === "SHUTOFF",
      { timeoutMs: 240_000, what: "the server to be off" },
    );
    await owner.run("server", "image", "create", "--name", "cold", "--wait", name);
    await rests();
    await owner.run("server", "start", name);
    await until(async () => (await consoleOf(name)).split("BOOT-DONE").length - 1 >= 2, {
      timeoutMs: 240_000,
      what: "the guest to boot again",
    });
    await create("second", "cold");
    await until(async () => (await consoleOf("second")).includes(`found=${MARKER}`), {
      timeoutMs: 240_000,
      what: "the second guest to find the marker",
    });
    await owner.run("server", "delete", "--wait", "second");
  });

  it("replaces the backup before it when only one is to stay", async () => {
    for (const backup of ["one", "two"]) {
      await rests();
      await owner.run(
        ...["server", "backup", "create", "--name", backup, "--type", "daily", "--rotate", "1"],
        ...["--wait", name],
      );
    }
    await rests();
    await until(async () => (await images()).every((image) => image.name !== "one"), {
      timeoutMs: 120_000,
      what: "the first backup to go",
    });
    const two = (await images()).find((image) => image.name === "two");
    assert.equal(two?.status, "active");
  });

  it("is finished after the whole cloud was killed in the middle of it", async () => {
    const token = await tokenOf(cloud, "demo");
    const answer = await fetch(`http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${serverId}/action`, {
      method: "POST",
      headers: {
        "x-auth-token": token,
        "content-type": "application/json",
        "openstack-api-version": "compute 2.45",
      },
      body: JSON.stringify({ createImage: { name: "survivor" } }),
    });
    const { image_id: imageId } = (await answer.json()) as { image_id: string };
    assert.equal(answer.status, 202);
    const [pid] = qemuProcesses(serverId);
    await owner.close();
    await cloud.kill();
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, home: cloud.home, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    await rests();
    assert.equal((await images()).find(({ id }) => id === imageId)?.status, "active");
    assert.deepEqual(qemuProcesses(serverId), [pid]);
  });
});
