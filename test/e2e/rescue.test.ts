import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { GrpcUser, call, failure } from "./support/grpc-user.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 8_600;
/** Where the boot partition of the guest image begins. */
const BOOT_OFFSET = 1024 * 1024;
const PASSWORD = "open.sesame-42";

/**
 * Says from what it was booted, what is on which disk, and what the administrator's password is hashed to.
 */
const LOOK = `#!/bin/sh
echo "booted=$(grep -o 'rescue=[a-z]*' /proc/cmdline || echo own)"
for disk in /sys/block/vd*; do
  name=\${disk##*/}
  serial=$(cat $disk/serial)
  for part in $disk/$name*; do
    at=/mnt/\${part##*/}
    mkdir -p $at
    mount -t ext4 /dev/\${part##*/} $at 2>/dev/null || continue
    echo "on $serial: marker=$(cat $at/marker 2>/dev/null)"
    [ $serial = root ] && [ ! -e $at/marker ] && echo kept > $at/marker
  done
done
sync
echo "shadow=$(sed -n 's/^root:\\([^:]*\\):.*/\\1/p' /etc/shadow)"
echo looked
`;

/** A server is booted from another disk than its own, typed by its owner and looked at from inside. */
describe("rescue of a server with a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let own = "";
  const name = "vm";

  const status = async (): Promise<string> =>
    (await owner.json<{ status: string }>("server", "show", name)).status;
  const reaches = (wanted: string): Promise<unknown> =>
    until(async () => (await status()) === wanted, { timeoutMs: 240_000, what: `${name} to be ${wanted}` });
  const boots = async (): Promise<string[]> =>
    (await owner.run("console", "log", "show", name)).split("booted=").slice(1);
  /** What the guest has said of its n-th boot, once it has said it all. */
  const boot = (nth: number): Promise<string> =>
    until(
      async () => {
        const said = (await boots())[nth - 1];
        return said?.includes("looked") ? said : undefined;
      },
      { timeoutMs: 240_000, what: `boot ${nth} to be told` },
    );
  const disksOf = async (): Promise<string[]> => {
    const text = await owner.run("console", "log", "show", name);
    const last = text.slice(text.lastIndexOf(": kernel ", text.lastIndexOf("booted=")));
    return [...last.matchAll(/disk (vd\w) \d+ serial=(\w+)/g)].map(([, disk, serial]) => `${disk} ${serial}`);
  };

  /** The guest image with a word more on its kernel's command line. */
  async function uploadRescueImage(word: string, ...options: readonly string[]): Promise<void> {
    const raw = join(cloud.home, `${word}.raw`);
    const config = join(cloud.home, `${word}.cfg`);
    const source = join(cloud.home, "own.qcow2");
    await owner.run("image", "save", "--file", source, own);
    execFileSync("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", source, raw]);
    const partition = `${raw}@@${BOOT_OFFSET}`;
    const env = { ...process.env, MTOOLS_SKIP_CHECK: "1" };
    const text = execFileSync("mtype", ["-i", partition, "::syslinux.cfg"], { env }).toString();
    writeFileSync(config, text.replace("APPEND ", `APPEND rescue=${word} `));
    execFileSync("mcopy", ["-o", "-i", partition, config, "::syslinux.cfg"], { env });
    await owner.run(
      ...["image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", raw],
      ...[...options, word],
    );
    for (const path of [raw, config, source]) rmSync(path);
  }

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), OS_COMPUTE_API_VERSION: "2.90" });
    own = (await owner.json<{ ID: string }[]>("image", "list"))[0]?.ID ?? "";
    await uploadRescueImage("plain");
    await uploadRescueImage(
      "stable",
      "--property",
      "hw_rescue_device=disk",
      "--property",
      "hw_rescue_bus=virtio",
    );
    const userData = join(cloud.home, "look.sh");
    writeFileSync(userData, LOOK);
    await owner.run(
      ...["server", "create", "--image", own, "--flavor", "m1.nano", "--network", "private"],
      ...["--user-data", userData, "--use-config-drive", "--wait", name],
    );
  });
  after(async () => {
    if (!cloud) return;
    await owner.run("server", "delete", "--wait", name).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("boots the rescue image with its own disk as the second one, and the new password", async () => {
    assert.match(await boot(1), /^own\s+on root: marker=\s/);
    await owner.run("server", "rescue", "--image", "plain", "--password", PASSWORD, name);
    await reaches("RESCUE");
    const said = await boot(2);
    assert.match(said, /^rescue=plain\s/);
    assert.match(said, /on root: marker=kept\s/);
    assert.match(said, /on rescue: marker=\s/);
    assert.deepEqual((await disksOf()).slice(0, 2), ["vda rescue", "vdb root"]);
    const [, hash = "", salt = ""] = /shadow=(\$6\$([^$\s]+)\$\S+)/.exec(said) ?? [];
    assert.equal(execFileSync("openssl", ["passwd", "-6", "-salt", salt, PASSWORD]).toString().trim(), hash);
  });

  it("refuses what does not fit a rescued server, in Nova's words", async () => {
    for (const [command, word] of [
      ["rescue", "rescue"],
      ["stop", "stop"],
      ["pause", "pause"],
      ["reboot", "reboot"],
    ] as const)
      assert.match(
        await owner.fails("server", command, name),
        new RegExp(`Cannot '${word}' instance .* while it is in vm_state rescued`),
      );
  });

  it("is still rescued after all of Kilonova was ended and started again, and its guest was not touched", async () => {
    const before = (await boots()).length;
    await owner.close();
    await cloud.stop();
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"], home: cloud.home });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), OS_COMPUTE_API_VERSION: "2.90" });
    assert.equal(await status(), "RESCUE");
    assert.equal((await boots()).length, before);
  });

  it("goes back to its own disk, where everything still is", async () => {
    await owner.run("server", "unrescue", name);
    await reaches("ACTIVE");
    const said = await boot(3);
    assert.match(said, /^own\s+on root: marker=kept\s/);
    assert.doesNotMatch(said, /on rescue/);
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", name);
    assert.deepEqual(events.map(({ Action }) => Action).slice(0, 2), ["unrescue", "rescue"]);
  });

  it("boots a rescue disk behind its own ones when the image asks for that", async () => {
    const before = await disksOf();
    await owner.run("server", "rescue", "--image", "stable", name);
    await reaches("RESCUE");
    const said = await boot(4);
    assert.match(said, /^rescue=stable\s/);
    assert.match(said, /on root: marker=kept\s/);
    assert.deepEqual(await disksOf(), [...before, `vd${String.fromCharCode(97 + before.length)} rescue`]);
    await owner.run("server", "unrescue", name);
    await reaches("ACTIVE");
    assert.match(await boot(5), /^own\s/);
  });

  it("is rescued from its own image over gRPC, from a stop too, and ends up running", async () => {
    const user = await GrpcUser.open(cloud, "demo");
    const { id: serverId } = await owner.json<{ id: string }>("server", "show", name);
    await owner.run("server", "stop", name);
    await reaches("SHUTOFF");
    const clientToken = "rescue-once";
    const first = await user.servers.rescueServer(call(), { serverId, clientToken });
    const second = await user.servers.rescueServer(call(), { serverId, clientToken });
    assert.match(first.adminPassword ?? "", /^\w{12}$/);
    assert.deepEqual([second.operation?.name, second.adminPassword], [first.operation?.name, undefined]);
    const rescued = await user.wait(first.operation);
    assert.deepEqual([rescued.error, rescued.metadata?.asked?.value], [undefined, { imageId: own }]);
    const state = async () => {
      const { server } = await user.servers.getServer(call(), { serverId });
      return [server?.vmState, server?.powerState];
    };
    assert.deepEqual(await state(), [VmState.VM_STATE_RESCUED, PowerState.POWER_STATE_RUNNING]);
    const refused = await failure(user.servers.rescueServer(call(), { serverId }));
    assert.equal(refused.reason, "INVALID_STATE");
    const unrescued = await user.wait((await user.servers.unrescueServer(call(), { serverId })).operation);
    assert.equal(unrescued.error, undefined);
    assert.deepEqual(await state(), [VmState.VM_STATE_ACTIVE, PowerState.POWER_STATE_RUNNING]);
    await user.channel.close();
  });
});
