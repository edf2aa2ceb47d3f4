import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { qemuProcesses } from "./support/traces.js";

const PORT_OFFSET = 7_400;
const NEW = { OS_COMPUTE_API_VERSION: "2.90" };
const SUSPENDED = 7;
/** By how much the guest's clock may be wrong after it was set, in seconds. */
const CLOCK_SLACK_S = 30;

/** Counts in its shell's memory, aloud: a guest that booted anew would begin again. */
const COUNT = `#!/bin/sh
(
  n=0
  while :; do
    n=$((n + 1))
    echo "count=$n" > /dev/console
    sleep 1
  done
) &
`;

/** A guest whose memory is kept on disk while nothing of it runs, typed by its user. */
describe("a server that is suspended to disk, with a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let admin: OpenStackShell;
  const name = "sleeper";
  let id = "";

  const start = async (home?: string): Promise<void> => {
    cloud = await Cloud.start({
      portOffset: PORT_OFFSET,
      args: ["--hosts", "1"],
      ...(home === undefined ? {} : { home }),
    });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    admin = new OpenStackShell({ ...cloud.credentials("admin"), ...NEW });
  };
  const consoleText = (): Promise<string> => owner.run("console", "log", "show", name);
  const counts = async (): Promise<readonly number[]> =>
    [...(await consoleText()).matchAll(/count=(\d+)\s/g)].map(([, n]) => Number(n));
  const show = () =>
    owner.json<{ status: string; "OS-EXT-STS:power_state": number | string }>("server", "show", name);
  const reaches = (wanted: string): Promise<unknown> =>
    until(async () => (await show()).status === wanted, {
      timeoutMs: 240_000,
      what: `${name} to be ${wanted}`,
    });

  before(async () => {
    await start();
    const userData = join(cloud.home, "count.sh");
    writeFileSync(userData, COUNT);
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    await owner.run(
      ...["server", "create", "--image", image?.ID ?? "", "--flavor", "m1.nano", "--network", "private"],
      ...["--user-data", userData, "--wait", name],
    );
    id = (await owner.json<{ id: string }>("server", "show", name)).id;
    await until(async () => (await counts()).length > 1, { timeoutMs: 240_000, what: "the guest to count" });
  });
  after(async () => {
    if (!cloud) return;
    await owner.run("server", "delete", "--wait", name).catch(() => {});
    await Promise.all([owner, admin].map((shell) => shell.close()));
    await cloud.stop();
    cloud.forget();
  });

  it("shows what a running guest did, to administrators, and on which NUMA nodes it lies", async () => {
    const told = await admin.json<Record<string, unknown>>("server", "show", "--diagnostics", id);
    assert.match(JSON.stringify(told), /cpu_details/);
    assert.match(await owner.fails("server", "show", "--diagnostics", name), /403|disallowed|not allow/i);
    assert.match(await owner.run("server", "show", "--topology", name), /nodes/);
  });

  it("interrupts the guest for a crash dump; the guest notices and lives on", async () => {
    await owner.run("server", "dump", "create", name);
    await until(async () => /NMI received/.test(await consoleText()), {
      timeoutMs: 120_000,
      what: "the guest to notice",
    });
    assert.equal((await show()).status, "ACTIVE");
  });

  it("leaves no process of a suspended guest, and keeps its memory over the death of everything", async () => {
    await owner.run("server", "suspend", name);
    await reaches("SUSPENDED");
    const frozen = await counts();
    assert.deepEqual(qemuProcesses(id), []);
    assert.match(String((await show())["OS-EXT-STS:power_state"]), new RegExp(`^(${SUSPENDED}|Suspended)$`));
    assert.match(
      await admin.fails("server", "show", "--diagnostics", id),
      /Cannot 'get_diagnostics' instance .* while it is in power state suspended/,
    );
    assert.match(
      await owner.fails("server", "suspend", name),
      /Cannot 'suspend' instance .* vm_state suspended/,
    );

    await Promise.all([owner, admin].map((shell) => shell.close()));
    await cloud.kill();
    await start(cloud.home);
    assert.equal((await show()).status, "SUSPENDED");
    assert.deepEqual(qemuProcesses(id), []);

    const resumedMs = Date.now();
    await owner.run("server", "resume", name);
    await reaches("ACTIVE");
    const clock = Number(
      (
        await until(async () => /clock set to (\d+)\s/.exec(await consoleText()) ?? undefined, {
          timeoutMs: 120_000,
          what: "the guest's clock to be set",
        })
      )[1],
    );
    assert.ok(
      clock > resumedMs / 1000 - CLOCK_SLACK_S && clock < Date.now() / 1000 + CLOCK_SLACK_S,
      `the guest's clock says ${clock}`,
    );
    const last = frozen.at(-1) ?? 0;
    await until(async () => ((await counts()).at(-1) ?? 0) > last + 1, {
      timeoutMs: 120_000,
      what: "the guest to count on",
    });
    assert.equal((await counts()).filter((n) => n === 1).length, 1);
    assert.equal((await consoleText()).split("boots=").length, 2);
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", name);
    for (const action of ["suspend", "resume", "trigger_crash_dump"])
      assert.ok(
        events.some((event) => event.Action === action),
        action,
      );
  });

  it("throws the memory away at a hard reboot", async () => {
    await owner.run("server", "suspend", name);
    await reaches("SUSPENDED");
    await owner.run("server", "reboot", "--hard", name);
    await reaches("ACTIVE");
    await until(async () => (await counts()).filter((n) => n === 1).length === 2, {
      timeoutMs: 120_000,
      what: "the guest to count from the beginning",
    });
    assert.equal(qemuProcesses(id).length, 1);
  });
});
