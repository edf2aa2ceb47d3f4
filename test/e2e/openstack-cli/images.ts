import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack image`. */
export function images(stage: Stage): void {
  const file = (name: string): string => join(stage.directory, name);

  it("image create, list, show, save, set, unset, delete", async () => {
    const { demo } = stage;
    const data = randomBytes(300_000);
    writeFileSync(file("in.img"), data);
    const made = await demo.json<Fields>(
      "image",
      "create",
      "--disk-format=raw",
      "--container-format=bare",
      "--min-disk=1",
      "--min-ram=64",
      "--private",
      "--protected",
      "--property=hw_video_model=none",
      "--property=a=b",
      "--tag=t1",
      "--tag=t2",
      `--file=${file("in.img")}`,
      "disk",
    );
    assert.equal(made["name"], "disk");
    const shown = await demo.json<Fields>("image", "show", "disk");
    const properties = shown["properties"] as Fields;
    assert.deepEqual(
      pick(shown, "status", "size", "visibility", "protected", "min_disk", "min_ram", "disk_format", "tags"),
      ["active", data.length, "private", true, 1, 64, "raw", ["t1", "t2"]],
    );
    assert.deepEqual(
      [shown["checksum"], properties["os_hash_value"], properties["hw_video_model"]],
      [createHash("md5").update(data).digest("hex"), createHash("sha512").update(data).digest("hex"), "none"],
    );

    const named = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("image", "list", ...filter), "Name").sort();
    assert.deepEqual(
      [
        await named("--private"),
        await named("--name=disk"),
        await named("--tag=t1"),
        await named("--property=hw_video_model=none"),
        await named("--status=queued"),
      ],
      [["disk"], ["disk"], ["disk"], ["disk"], []],
    );
    assert.deepEqual((await named()).includes("disk"), true);
    assert.equal((await named("--limit=1", "--sort=name:asc")).length, 1);
    const [long] = await demo.json<Fields[]>("image", "list", "--long", "--name=disk");
    assert.deepEqual(pick(long ?? {}, "Disk Format", "Size", "Visibility", "Protected"), [
      "raw",
      data.length,
      "private",
      true,
    ]);
    await demo.run("image", "save", `--file=${file("out.img")}`, "disk");
    assert.ok(data.equals(readFileSync(file("out.img"))));

    assert.match(await demo.fails("image", "delete", "disk"), /protected and cannot be deleted/);
    await demo.run(
      "image",
      "set",
      "--name=drive",
      "--unprotected",
      "--property=a=c",
      "--property=x=y",
      "--tag=t3",
      "--min-ram=128",
      "--hidden",
      "disk",
    );
    assert.deepEqual([await named("--name=drive"), await named("--name=drive", "--hidden")], [[], ["drive"]]);
    await demo.run("image", "unset", "--property=hw_video_model", "--tag=t1", String(shown["id"]));
    const set = await demo.json<Fields>("image", "show", String(shown["id"]));
    const after = set["properties"] as Fields;
    assert.deepEqual(
      [...pick(set, "name", "protected", "tags", "min_ram"), after["a"], after["x"], after["hw_video_model"]],
      ["drive", false, ["t2", "t3"], 128, "c", "y", undefined],
    );
    assert.match(
      await demo.fails("image", "unset", "--property=nothing", String(shown["id"])),
      /property unset failed/,
    );
    assert.match(await demo.fails("image", "set", "--public", String(shown["id"])), /publicize_image|403/);
    await demo.run("image", "delete", String(shown["id"]));
    assert.match(await demo.fails("image", "show", String(shown["id"])), /No image found|No Image found/i);
    assert.match(await demo.fails("image", "show", "nonsense"), /No Image found for nonsense/i);
    assert.match(await demo.fails("image", "create", "--disk-format=zip", "odd"), /invalid choice/);
  });

  it("image add project, member list, set --accept and --reject, remove project", async () => {
    const { admin, demo } = stage;
    writeFileSync(file("small.img"), "data");
    const { id } = (await admin.json<Fields>(
      "image",
      "create",
      "--shared",
      `--file=${file("small.img")}`,
      "offer",
    )) as { id: string };
    assert.match(await demo.fails("image", "show", id), /No image found|No Image found/i);
    const member = await admin.json<Fields>("image", "add", "project", id, "demo");
    assert.deepEqual(pick(member, "image_id", "status"), [id, "pending"]);
    const visible = async (...more: readonly string[]): Promise<boolean> =>
      column(await demo.json<Fields[]>("image", "list", "--shared", ...more), "ID").includes(id);
    assert.deepEqual([await visible(), await visible("--member-status=pending")], [false, true]);
    await demo.run("image", "set", "--accept", id);
    assert.equal(await visible(), true);
    assert.deepEqual(
      (await admin.json<Fields[]>("image", "member", "list", id)).map((row) =>
        pick(row, "Member ID", "Status"),
      ),
      [[member["member_id"], "accepted"]],
    );
    await demo.run("image", "save", `--file=${file("shared.img")}`, id);
    assert.equal(readFileSync(file("shared.img"), "utf8"), "data");
    await demo.run("image", "set", "--reject", id);
    assert.equal(await visible(), false);
    await demo.run("image", "set", "--pending", id);
    assert.match(await demo.fails("image", "delete", id), /not authorized|403/i);
    await admin.run("image", "remove", "project", id, "demo");
    assert.deepEqual(await admin.json<Fields[]>("image", "member", "list", id), []);
    assert.match(await demo.fails("image", "show", id), /No image found|No Image found/i);
    await admin.run("image", "set", "--public", id);
    assert.match(
      await admin.fails("image", "add", "project", id, "demo"),
      /Only shared images have members|403/,
    );

    await admin.run("image", "set", "--deactivate", id);
    assert.equal((await demo.json<Fields>("image", "show", id))["status"], "deactivated");
    assert.match(
      await demo.fails("image", "save", `--file=${file("no.img")}`, id),
      /Unable to download image/,
    );
    await admin.run("image", "set", "--activate", id);
    await demo.run("image", "save", `--file=${file("yes.img")}`, id);
    await admin.run("image", "delete", id);
  });
}
