import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { ComputeRest } from "./support/compute-rest.js";
import { tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 20_900;
type Row = Record<string, unknown>;

/**
 * Says what is on the disk with a system, wherever it is, and writes there who it is when nobody has; says
 * what disks there are.
 */
const LOOK = `#!/bin/sh
mkdir -p /mnt/root
for disk in /sys/block/vd?; do
  serial=$(cat $disk/serial)
  [ "$serial" = rescue ] && continue
  for part in /dev/\${disk##*/}?*; do
    mount -t ext4 $part /mnt/root 2>/dev/null && break 2
  done
done
echo "root=$serial found=[$(cat /mnt/root/marker 2>/dev/null)]"
[ -e /mnt/root/marker ] || hostname > /mnt/root/marker
umount /mnt/root
for disk in /sys/block/vd?; do
  name=\${disk##*/}
  mkdir -p /mnt/$name
  kind=raw
  mount -t ext4 /dev/$name /mnt/$name 2>/dev/null && kind=ext4
  [ "$(dd if=/dev/$name bs=1 skip=4086 count=10 2>/dev/null)" = SWAPSPACE2 ] && kind=swap
  echo "on $name: $(($(cat $disk/size) / 2048)) MiB $kind serial=$(cat $disk/serial)"
done
sync
echo looked
`;

/** What a guest has said of its disks. */
interface Said {
  /** Serial number of the disk that it has booted from. */
  readonly root: string;
  /** Who has written on it before. */
  readonly found: string;
  /** Name, MiB, kind and serial number of each disk but the config drive, in the guest's order. */
  readonly disks: readonly (readonly [name: string, mib: number, kind: string, serial: string])[];
}

/** Servers that boot from volumes, made by the `openstack` client and seen from inside. */
describe("real guests on volumes", function () {
  this.timeout(900_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let admin: OpenStackShell;
  let rest: ComputeRest;
  let image = "";
  let userData = "";
  const servers = new Set<string>();

  const volumes = (): Promise<Row[]> => owner.json<Row[]>("volume", "list");
  const volume = (id: string): Promise<Row> => owner.json<Row>("volume", "show", id);
  const reaches = (id: string, status: string): Promise<unknown> =>
    until(async () => (await volume(id))["status"] === status, {
      timeoutMs: 240_000,
      what: `volume ${id} to be ${status}`,
    });
  /** Makes a server and waits for what its guest says. */
  async function boots(name: string, ...options: readonly string[]): Promise<Said> {
    servers.add(name);
    await owner.run(
      ...["server", "create", "--network", "private", "--user-data", userData, "--use-config-drive"],
      ...[...options, "--wait", name],
    );
    return heardOf(name, 1);
  }
  const consoleOf = async (name: string): Promise<readonly string[]> =>
    (await owner.run("console", "log", "show", name)).split("looked");
  /** Does something after which its guest boots again, and waits for what it says then. */
  async function looksAgain(name: string, act: () => Promise<unknown>): Promise<Said> {
    const before = (await consoleOf(name)).length - 1;
    await act();
    return heardOf(name, before + 1);
  }
  /** What its guest has said when it had booted so many times. */
  async function heardOf(name: string, boot: number): Promise<Said> {
    const text = await until(
      async () => {
        const looks = await consoleOf(name);
        return looks.length > boot ? looks[boot - 1] : undefined;
      },
      { timeoutMs: 240_000, what: `${name} to have looked ${boot} times` },
    );
    const [, root = "", found = ""] = /root=(\S*) found=\[(.*?)\]/.exec(text) ?? [];
    const rows = text.matchAll(/on (vd\w): (\d+) MiB (\w+) serial=(\S*)/g);
    return {
      root,
      found,
      disks: [...rows]
        .filter(([, , , , serial]) => serial !== "config")
        .map(([, disk = "", mib = "", kind = "", serial = ""]) => [disk, Number(mib), kind, serial]),
    };
  }
  const attached = async (name: string): Promise<Row[]> =>
    owner.json<Row[]>("server", "volume", "list", name);
  async function goes(name: string): Promise<void> {
    await owner.run("server", "delete", "--wait", name);
    servers.delete(name);
  }

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), OS_COMPUTE_API_VERSION: "2.90" });
    admin = new OpenStackShell(cloud.credentials("admin"));
    rest = new ComputeRest(cloud, await tokenOf(cloud, "demo"));
    image = String((await owner.json<Row[]>("image", "list"))[0]?.["ID"]);
    userData = join(cloud.home, "look.sh");
    writeFileSync(userData, LOOK);
    const sizes = ["--ram", "128", "--vcpus", "1"];
    await admin.run("flavor", "create", ...sizes, "--disk", "0", "diskless");
    await admin.run(
      ...["flavor", "create", ...sizes, "--disk", "1", "--ephemeral", "2", "--swap", "64", "many"],
    );
  });
  after(async () => {
    if (!cloud) return;
    for (const name of servers) await owner.run("server", "delete", "--wait", name).catch(() => {});
    await owner.close();
    await admin.close();
    await cloud.stop();
    cloud.forget();
  });

  /** The volume that goes from server to server. */
  let root = "";

  it("boot an image from a new volume, which is the user's and outlives the server", async () => {
    const said = await boots(
      "first",
      ...["--flavor", "many", "--image", image, "--boot-from-volume", "1"],
      ...["--ephemeral", "size=1", "--ephemeral", "size=1", "--swap", "32"],
      ...[
        "--block-device",
        "source_type=blank,destination_type=volume,volume_size=2,delete_on_termination=true",
      ],
    );
    const list = await volumes();
    assert.deepEqual(list.map((one) => [one["Status"], one["Size"]]).sort(), [
      ["in-use", 1],
      ["in-use", 2],
    ]);
    root = String(list.find((one) => one["Size"] === 1)?.["ID"]);
    const blank = String(list.find((one) => one["Size"] === 2)?.["ID"]);
    assert.equal((await volume(root))["bootable"], "true");
    assert.deepEqual([said.root, said.found], [root.slice(0, 20), ""]);
    assert.deepEqual(
      said.disks.map(([, mib, kind, serial]) => `${serial}: ${mib} ${kind}`).sort(),
      [
        `${root.slice(0, 20)}: 1024 raw`,
        `${blank.slice(0, 20)}: 2048 raw`,
        "ephemeral0: 1024 ext4",
        "ephemeral1: 1024 ext4",
        "swap: 32 swap",
      ].sort(),
    );
    const shown = await owner.json<Row>("server", "show", "first");
    assert.match(String(shown["image"]), /^(N\/A \(booted from volume\))?$/);
    assert.deepEqual(
      (await attached("first")).map((one) => [
        one["Volume ID"],
        one["Device"],
        one["Delete On Termination?"],
      ]),
      [
        [root, "/dev/vda", false],
        [blank, "/dev/vde", true],
      ],
    );
    await goes("first");
    await reaches(root, "available");
    await until(async () => (await volumes()).length === 1, { timeoutMs: 240_000, what: "the blank to go" });
  });

  it("find on a volume what the server before has written", async () => {
    const said = await boots("second", "--flavor", "diskless", "--volume", root);
    assert.deepEqual([said.root, said.found], [root.slice(0, 20), "first"]);
    assert.equal((await volumes()).length, 1);
  });

  it("boot from a snapshot, on a volume of their own", async () => {
    const snapshot = await owner.json<Row>(
      "volume",
      "snapshot",
      "create",
      "--force",
      "--volume",
      root,
      "snap",
    );
    await until(
      async () => (await owner.json<Row>("volume", "snapshot", "show", "snap"))["status"] === "available",
      { timeoutMs: 240_000, what: "the snapshot" },
    );
    const said = await boots("third", "--flavor", "diskless", "--snapshot", String(snapshot["id"]));
    assert.equal(said.found, "first");
    assert.notEqual(said.root, root.slice(0, 20));
    const [one] = await attached("third");
    const own = String(one?.["Volume ID"]);
    assert.equal(said.root, own.slice(0, 20));
    await goes("third");
    await reaches(own, "available");
    await owner.run("volume", "delete", own);
    await until(async () => (await volumes()).length === 1, { timeoutMs: 240_000, what: "its volume to go" });
    await reaches(root, "in-use");
  });

  it("are pictured as snapshots of their volumes, from which others boot", async () => {
    await owner.run("server", "image", "create", "--name", "picture", "--wait", "second");
    const picture = await owner.json<Row>("image", "show", "picture");
    assert.deepEqual([picture["status"], picture["size"]], ["active", 0]);
    const said = await boots("fourth", "--flavor", "diskless", "--image", "picture");
    assert.equal(said.found, "first");
    const own = String((await attached("fourth"))[0]?.["Volume ID"]);
    assert.equal(said.root, own.slice(0, 20));
    assert.notEqual(own, root);
    await goes("fourth");
    await reaches(own, "available");
    await owner.run("volume", "delete", own);
    await owner.run("image", "delete", "picture");
    await until(async () => (await volumes()).length === 1, { timeoutMs: 240_000, what: "its volume to go" });
  });

  it("are rescued with their volume in its place", async () => {
    await admin.run(
      ...["image", "set", "--property", "hw_rescue_device=disk", "--property", "hw_rescue_bus=virtio"],
      image,
    );
    const { id } = await owner.json<{ id: string }>("server", "show", "second");
    const said = await looksAgain("second", () => owner.run("server", "rescue", "--image", image, "second"));
    // The guest may have looked before the end of what has started it is stored.
    await rest.reaches(id, "RESCUE");
    assert.deepEqual([said.root, said.found], [root.slice(0, 20), "first"]);
    assert.deepEqual(said.disks.map(([, , , serial]) => serial).sort(), [root.slice(0, 20), "rescue"]);
    const back = await looksAgain("second", () => owner.run("server", "unrescue", "second"));
    assert.deepEqual([back.root, back.found, back.disks.length], [root.slice(0, 20), "first", 1]);
    await rest.reaches(id, "ACTIVE");
  });

  it("lose what was on their volume when it is written anew", async () => {
    const { id } = await owner.json<{ id: string }>("server", "show", "second");
    const said = await looksAgain("second", async () => {
      const { status } = await rest.act(id, "rebuild", { imageRef: image });
      assert.equal(status, 202);
      await rest.reaches(id, "ACTIVE");
    });
    assert.deepEqual([said.root, said.found], [root.slice(0, 20), ""]);
    await reaches(root, "in-use");
  });

  it("come back from their volume after a hard reboot, and leave it to its owner", async () => {
    const said = await looksAgain("second", () =>
      owner.run("server", "reboot", "--hard", "--wait", "second"),
    );
    assert.deepEqual([said.root, said.found], [root.slice(0, 20), "second"]);
    await goes("second");
    await reaches(root, "available");
    await owner.run("volume", "delete", "--purge", root);
    await until(async () => (await volumes()).length === 0, { timeoutMs: 240_000, what: "the volume to go" });
  });
});
