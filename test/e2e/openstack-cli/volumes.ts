import assert from "node:assert/strict";
import { until } from "../../../pkg/testkit/until.js";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack volume`, `volume snapshot`, `volume type`, `volume attachment` and their like. */
export function volumes(stage: Stage): void {
  const become = async (kind: readonly string[], name: string, status: string): Promise<Fields> => {
    let seen: Fields = {};
    await until(
      async () => {
        seen = await stage.demo.json<Fields>(...kind, "show", name);
        return seen["status"] === status || seen["status"] === "error";
      },
      { timeoutMs: 60_000, everyMs: 200, what: `${name} to be ${status}` },
    );
    assert.equal(seen["status"], status);
    return seen;
  };
  const gone = (kind: readonly string[], name: string): Promise<boolean> =>
    until(
      async () =>
        !column(await stage.demo.json<Fields[]>(...kind, "list"), "Name").some((one) => one === name),
      { timeoutMs: 60_000, everyMs: 200, what: `${name} to go` },
    );
  const V = ["volume"] as const;
  const S = ["volume", "snapshot"] as const;

  it("volume create, list, show, set, unset, delete", async () => {
    const { demo } = stage;
    const made = await demo.json<Fields>(
      "volume",
      "create",
      "--size=1",
      "--description=text",
      "--property=a=b",
      "--availability-zone=nova",
      "disk1",
    );
    assert.deepEqual(pick(made, "name", "size", "type"), ["disk1", 1, "__DEFAULT__"]);
    await become(V, "disk1", "available");
    const names = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("volume", "list", ...filter), "Name").sort();
    assert.deepEqual(
      [await names(), await names("--name=disk1"), await names("--status=error"), await names("--limit=1")],
      [["disk1"], ["disk1"], [], ["disk1"]],
    );
    const [long] = await demo.json<Fields[]>("volume", "list", "--long");
    assert.deepEqual(pick(long ?? {}, "Status", "Size", "Bootable"), ["available", 1, "false"]);
    await demo.run("volume", "set", "--name=disk2", "--property=c=d", "--size=2", "--bootable", "disk1");
    const grown = await become(V, "disk2", "available");
    assert.deepEqual(pick(grown, "size", "bootable"), [2, "true"]);
    assert.deepEqual(grown["properties"], { a: "b", c: "d" });
    await demo.run("volume", "set", "--image-property=hw_disk_bus=virtio", "--read-only", "disk2");
    await demo.run("volume", "unset", "--property=a", "--image-property=hw_disk_bus", "disk2");
    assert.deepEqual((await demo.json<Fields>("volume", "show", "disk2"))["properties"], { c: "d" });
    await stage.admin.run("volume", "set", "--state=error", String(made["id"]));
    await demo.run("volume", "delete", "disk2");
    await gone(V, "disk2");
  });

  it("volume snapshot create, list, show, set, unset, delete; volumes of them and of volumes", async () => {
    const { demo } = stage;
    await demo.run("volume", "create", "--size=1", "source");
    await become(V, "source", "available");
    await demo.run("volume", "snapshot", "create", "--volume=source", "--property=a=b", "snap1");
    await become(S, "snap1", "available");
    assert.deepEqual(
      column(await demo.json<Fields[]>("volume", "snapshot", "list", "--volume=source"), "Name"),
      ["snap1"],
    );
    await demo.run("volume", "snapshot", "set", "--name=snap2", "--property=c=d", "snap1");
    await demo.run("volume", "snapshot", "unset", "--property=a", "snap2");
    assert.deepEqual((await demo.json<Fields>("volume", "snapshot", "show", "snap2"))["properties"], {
      c: "d",
    });
    await demo.run("volume", "create", "--snapshot=snap2", "restored");
    await demo.run("volume", "create", "--source=source", "--size=2", "cloned");
    for (const name of ["restored", "cloned"]) await become(V, name, "available");
    await demo.run("volume", "snapshot", "delete", "snap2");
    await gone(S, "snap2");
    for (const name of ["source", "restored", "cloned"]) {
      await demo.run("volume", "delete", name);
      await gone(V, name);
    }
  });

  it("volume type create, list, show, set, unset, delete", async () => {
    const { admin, demo } = stage;
    await admin.run("volume", "type", "create", "--public", "--description=text", "shared");
    await admin.run("volume", "type", "set", "--property=key=value", "shared");
    assert.deepEqual(column(await demo.json<Fields[]>("volume", "type", "list"), "Name").sort(), [
      "__DEFAULT__",
      "shared",
    ]);
    assert.deepEqual((await admin.json<Fields>("volume", "type", "show", "shared"))["properties"], {
      key: "value",
    });
    assert.deepEqual(column(await demo.json<Fields[]>("volume", "type", "list", "--default"), "Name"), [
      "__DEFAULT__",
    ]);
    await demo.run("volume", "create", "--size=1", "--type=shared", "several");
    assert.equal((await become(V, "several", "available"))["type"], "shared");
    await demo.run("volume", "delete", "several");
    await gone(V, "several");
    await admin.run("volume", "type", "unset", "--property=key", "shared");
    await admin.run("volume", "type", "delete", "shared");
  });

  it("volume attachment create, list, show, set, complete, delete", async () => {
    const demo = stage.as(stage.credentials({ OS_VOLUME_API_VERSION: "3.54" }));
    const { id } = await demo.json<Fields>("volume", "create", "--size=1", "attached");
    await become(V, "attached", "available");
    const [image] = await demo.json<Fields[]>("image", "list", "--public");
    const [flavor] = await demo.json<Fields[]>("flavor", "list");
    const server = await demo.json<Fields>(
      ...["server", "create", `--flavor=${String(flavor?.["ID"])}`, `--image=${String(image?.["ID"])}`],
      ...["--network=private", "vm"],
    );
    const made = await demo.json<Fields>("volume", "attachment", "create", String(id), String(server["id"]));
    const attachment = String(made["ID"]);
    assert.equal(made["Status"], "reserved");
    await demo.run(...["volume", "attachment", "set", "--host=node", "--mountpoint=/dev/vdb", attachment]);
    await demo.run("volume", "attachment", "complete", attachment);
    const shown = await demo.json<Fields>("volume", "attachment", "show", attachment);
    assert.deepEqual(pick(shown, "Status", "Volume ID"), ["attached", id]);
    assert.deepEqual(column(await demo.json<Fields[]>("volume", "attachment", "list"), "ID"), [attachment]);
    assert.equal((await become(V, "attached", "in-use"))["status"], "in-use");
    assert.match(
      await demo.fails("volume", "attachment", "delete", attachment),
      /Detach volume from instance .* using the Compute API/,
    );
  });
}
