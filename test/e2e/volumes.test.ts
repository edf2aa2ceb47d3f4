import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { ComputeRest } from "./support/compute-rest.js";
import { tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 20_600;
type Row = Record<string, unknown>;

/**
 * Looks after disks that come and go: says what stands at a volume's beginning, and writes there who it is
 * when nothing does.
 */
const WATCH = `#!/bin/sh
(
  known=" "
  while :; do
    now=" "
    for disk in /sys/block/vd*; do
      serial=$(cat $disk/serial 2>/dev/null)
      case "$serial" in *-*) ;; *) continue ;; esac
      now="$now$serial "
      size=$(($(cat $disk/size) / 2097152))
      [ "$(cat /tmp/size-$serial 2>/dev/null)" = $size ] || echo "volume $serial size=$size" > /dev/console
      echo $size > /tmp/size-$serial
      case "$known" in *" $serial "*) continue ;; esac
      dev=/dev/\${disk##*/}
      found=$(dd if=$dev bs=512 count=1 2>/dev/null | tr -d '\\000' | head -c 64)
      echo "volume $serial found=[$found]" > /dev/console
      if [ -z "$found" ]; then
        echo "written by $(hostname)" | dd of=$dev bs=512 conv=notrunc,fsync 2>/dev/null
        sync
        echo "volume $serial marked" > /dev/console
      fi
    done
    for serial in $known; do
      case "$now" in *" $serial "*) ;; *) echo "volume $serial gone" > /dev/console ;; esac
    done
    known="$now"
    sleep 1
  done
) &
echo watching > /dev/console
`;

/** A volume that goes from one real guest to another, by the `openstack` client. */
describe("volumes of real guests", function () {
  this.timeout(900_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let rest: ComputeRest;
  const ids = new Map<string, string>();
  let volume = "";

  const says = (name: string, what: string, pattern: RegExp): Promise<RegExpExecArray> =>
    until(async () => pattern.exec(await owner.run("console", "log", "show", name)) ?? undefined, {
      timeoutMs: 240_000,
      what: `${name} to say: ${what}`,
    });
  const status = async (): Promise<unknown> => (await owner.json<Row>("volume", "show", volume))["status"];
  const reaches = (wanted: string): Promise<unknown> =>
    until(async () => (await status()) === wanted, {
      timeoutMs: 240_000,
      what: `the volume to be ${wanted}`,
    });
  const serialOf = (): string => volume.slice(0, 20);

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({
      ...cloud.credentials("demo"),
      OS_COMPUTE_API_VERSION: "2.89",
      OS_VOLUME_API_VERSION: "3.42",
    });
    rest = new ComputeRest(cloud, await tokenOf(cloud, "demo"));
    const [image] = await owner.json<Row[]>("image", "list");
    const userData = join(cloud.home, "watch.sh");
    writeFileSync(userData, WATCH);
    for (const name of ["one", "two"]) {
      // Not as JSON: while it waits, the client may tell of progress before it.
      await owner.run(
        ...["server", "create", "--image", String(image?.["ID"]), "--flavor", "m1.nano"],
        ...["--network", "private", "--user-data", userData, "--use-config-drive", "--wait", name],
      );
      ids.set(name, String((await owner.json<Row>("server", "show", name))["id"]));
      await says(name, "that it watches", /watching/);
    }
    volume = String((await owner.json<Row>("volume", "create", "--size", "1", "data"))["id"]);
    await reaches("available");
  });
  after(async () => {
    if (!cloud) return;
    for (const name of ids.keys()) await owner.run("server", "delete", "--wait", name).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("come to a running guest, which writes on them, and go again", async () => {
    await owner.run("server", "add", "volume", "--tag", "data", "one", volume);
    await says("one", "that it has marked the volume", new RegExp(`volume ${serialOf()} marked`));
    await reaches("in-use");
    const [attached] = await owner.json<Row[]>("server", "volume", "list", "one");
    assert.deepEqual(
      [attached?.["Volume ID"], attached?.["Device"], attached?.["Tag"]],
      [volume, "/dev/vdb", "data"],
    );
    const shown = await owner.json<Row>("server", "show", "one");
    assert.ok(JSON.stringify(shown["volumes_attached"] ?? shown["attached_volumes"]).includes(volume));
    assert.match(
      await owner.fails("server", "add", "volume", "two", volume),
      /already attached|status must be/,
    );
    await owner.run("server", "remove", "volume", "one", volume);
    await says("one", "that it is gone", new RegExp(`volume ${serialOf()} gone`));
    await reaches("available");
  });

  it("bring what one guest has written to another", async () => {
    await owner.run("server", "add", "volume", "two", volume);
    const [, found] = await says("two", "what it finds", new RegExp(`volume ${serialOf()} found=\\[(.*)\\]`));
    assert.equal(found, "written by one");
    await reaches("in-use");
  });

  it("are there again after a hard reboot", async () => {
    /** What the guest has said since its last start. */
    const boots = async (): Promise<string[]> =>
      (await owner.run("console", "log", "show", "two")).split(": kernel ").slice(1);
    const before = (await boots()).length;
    await owner.run("server", "reboot", "--hard", "--wait", "two");
    await until(
      async () => {
        const all = await boots();
        const found = `volume ${serialOf()} found=[written by one]`;
        return all.length > before && all.at(-1)?.includes(found) === true;
      },
      { timeoutMs: 240_000, what: "the guest to find the volume again" },
    );
    assert.equal(await status(), "in-use");
  });

  it("grow while their guest uses them, which sees it, and history tells", async () => {
    await owner.run("volume", "set", "--size", "2", volume);
    await says("two", "the new size", new RegExp(`volume ${serialOf()} size=2`));
    await reaches("in-use");
    assert.equal((await owner.json<Row>("volume", "show", volume))["size"], 2);
    const events = await owner.json<Row[]>("server", "event", "list", "two");
    assert.equal(events.filter((one) => one["Action"] === "extend_volume").length, 1);
  });

  it("go with their server or stay, as their owner says at any time", async () => {
    const goes = async (): Promise<unknown> =>
      (await owner.json<Row[]>("server", "volume", "list", "two"))[0]?.["Delete On Termination?"];
    for (const [option, answer] of [
      ["--delete-on-termination", true],
      ["--preserve-on-termination", false],
    ] as const) {
      await owner.run("server", "volume", "update", option, "two", volume);
      assert.equal(await goes(), answer);
    }
    const path = `/servers/${ids.get("two") ?? ""}/os-volume_attachments/${volume}`;
    const change = (more: object) =>
      rest.call("PUT", path, { volumeAttachment: { volumeId: volume, ...more } });
    assert.equal((await change({ device: "/dev/vdz" })).status, 400);
    // Only the Block Storage service puts one volume in another's place.
    assert.equal((await change({ volumeId: ids.get("two") })).status, 403);
  });

  it("are told from 2.89 on with ids of their own, before that by the volume", async () => {
    const path = `/servers/${ids.get("two") ?? ""}/os-volume_attachments`;
    const { body } = await rest.call("GET", path);
    const [one] = body["volumeAttachments"] as unknown as Row[];
    assert.deepEqual(Object.keys(one ?? {}).sort(), [
      "attachment_id",
      "bdm_uuid",
      "delete_on_termination",
      "device",
      "serverId",
      "tag",
      "volumeId",
    ]);
  });

  it("are let go of with their server", async () => {
    await owner.run("server", "delete", "--wait", "two");
    ids.delete("two");
    await reaches("available");
  });
});
