import assert from "node:assert/strict";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack token`, `catalog`, `domain`, `project` and `user`. */
export function identity(stage: Stage): void {
  it("token issue, revoke; catalog list, show", async () => {
    const { admin } = stage;
    const token = await admin.json<Fields>("token", "issue");
    assert.match(String(token["expires"]), /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+0000$/);
    assert.equal(await admin.run("token", "revoke", String(token["id"])), "");
    assert.notEqual(await admin.run("project", "list"), "", "a revoked token is renewed without a word");
    const revoked = stage.as(
      stage.credentials({
        OS_AUTH_TYPE: "v3token",
        OS_TOKEN: String(token["id"]),
        OS_USERNAME: undefined,
        OS_PASSWORD: undefined,
        OS_USER_DOMAIN_NAME: undefined,
      }),
    );
    assert.match(await revoked.fails("project", "list"), /requires authentication.*\(HTTP 401\)/);
    assert.match(await stage.demo.fails("token", "revoke", "nonsense"), /Could not find token|HTTP 404/);
    const catalog = await admin.json<Fields[]>("catalog", "list");
    assert.deepEqual(column(catalog, "Type").sort(), [
      "block-storage",
      "compute",
      "compute-rpc",
      "identity",
      "image",
      "network",
      "placement",
      "volumev3",
    ]);
    const network = await admin.json<Fields>("catalog", "show", "network");
    assert.equal(network["name"], "neutron");
    assert.deepEqual(column(network["endpoints"] as Fields[], "interface").sort(), [
      "admin",
      "internal",
      "public",
    ]);
    assert.match(await admin.fails("catalog", "show", "nonsense"), /service nonsense not found/);
  });

  it("domain create, list, show, set, delete", async () => {
    const { admin } = stage;
    const made = await admin.json<Fields>("domain", "create", "--description", "d", "island");
    assert.deepEqual(pick(made, "name", "enabled", "description", "options"), ["island", true, "d", {}]);
    assert.match(await admin.fails("domain", "create", "island"), /Conflict occurred.*\(HTTP 409\)/);
    assert.equal((await admin.json<Fields>("domain", "create", "--or-show", "island"))["id"], made["id"]);
    assert.deepEqual(column(await admin.json<Fields[]>("domain", "list"), "Name").sort(), [
      "Default",
      "island",
    ]);
    assert.match(await admin.fails("domain", "delete", "island"), /disable it first/);
    await admin.run("domain", "set", "--disable", "--name", "atoll", "--description", "e", "island");
    assert.deepEqual(
      pick(await admin.json<Fields>("domain", "show", "atoll"), "id", "enabled", "description"),
      [made["id"], false, "e"],
    );
    await admin.run("domain", "delete", "atoll");
    assert.match(
      await admin.fails("domain", "show", "atoll"),
      /No domain with a name or ID of 'atoll' exists/,
    );
    assert.match(
      await stage.demo.fails("domain", "create", "mine"),
      /not authorized.*identity:create_domain.*\(HTTP 403\)/,
    );
  });

  it("project create, list, show, set, delete", async () => {
    const { admin, demo } = stage;
    const top = await admin.json<Fields>(
      "project",
      "create",
      "--description",
      "d",
      "--tag",
      "t1",
      "--tag=t2",
      "--property=cost=42",
      "--enable",
      "top",
    );
    assert.deepEqual(pick(top, "name", "description", "cost", "domain_id", "enabled", "is_domain"), [
      "top",
      "d",
      "42",
      "default",
      true,
      false,
    ]);
    assert.deepEqual((top["tags"] as string[]).sort(), ["t1", "t2"]);
    await admin.json(
      "project",
      "create",
      "--parent=top",
      "--domain=Default",
      "--disable",
      "--immutable",
      "leaf",
    );
    assert.match(
      await admin.fails("project", "create", "--description=x", "top"),
      /Conflict occurred.*name top.*\(HTTP 409\)/,
    );
    assert.equal((await admin.json<Fields>("project", "create", "--or-show", "top"))["id"], top["id"]);
    const named = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await admin.json<Fields[]>("project", "list", ...filter), "Name").sort();
    assert.deepEqual(await named(), ["admin", "demo", "leaf", "service", "top"]);
    assert.deepEqual(
      [
        await named("--parent=top"),
        await named("--tags=t1,t2"),
        await named("--tags-any=t2,x"),
        await named("--domain=Default", "--not-tags=t1"),
      ],
      [["leaf"], ["top"], ["top"], ["admin", "demo", "leaf", "service"]],
    );
    assert.deepEqual(await named("--user=demo"), ["demo"]);
    assert.equal((await named("--my-projects")).length, 2);
    const [long] = await admin.json<Fields[]>("project", "list", "--long", "--tags=t1");
    assert.deepEqual(pick(long ?? {}, "Domain ID", "Description", "Enabled"), ["default", "d", true]);
    const leaf = await admin.json<Fields>("project", "show", "--parents", "leaf");
    assert.deepEqual(
      [leaf["parents"], leaf["options"], leaf["enabled"]],
      [{ [String(top["id"])]: null }, { immutable: true }, false],
    );
    assert.deepEqual((await admin.json<Fields>("project", "show", "--children", "top"))["subtree"], {
      [String(leaf["id"])]: null,
    });
    assert.match(await admin.fails("project", "delete", "leaf"), /immutable.*\(HTTP 403\)/s);
    await admin.run("project", "set", "--no-immutable", "--enable", "leaf");
    assert.match(await admin.fails("project", "delete", "top"), /not a leaf in the hierarchy/);
    await admin.run(
      "project",
      "set",
      "--name=summit",
      "--description=e",
      "--property=cost=43",
      "--tag=t3",
      "top",
    );
    await admin.run("project", "set", "--remove-tag=t1", "summit");
    const set = await admin.json<Fields>("project", "show", "summit");
    assert.deepEqual(
      [...pick(set, "id", "description", "cost"), (set["tags"] as string[]).sort()],
      [top["id"], "e", "43", ["t2", "t3"]],
    );
    await admin.run("project", "set", "--clear-tags", "summit");
    assert.deepEqual((await admin.json<Fields>("project", "show", "summit"))["tags"], []);
    await admin.run("project", "delete", "leaf", "summit");
    assert.match(
      await admin.fails("project", "show", "summit"),
      /No project with a name or ID of 'summit' exists/,
    );

    assert.deepEqual(column(await demo.json<Fields[]>("project", "list"), "Name"), ["demo"]);
    assert.equal((await demo.json<Fields>("project", "show", "demo"))["name"], "demo");
    assert.match(await demo.fails("project", "create", "mine"), /identity:create_project.*\(HTTP 403\)/);
  });

  it("user create, list, show, set, password set, delete", async () => {
    const { admin, demo } = stage;
    const user = await admin.json<Fields>(
      "user",
      "create",
      "--password=first",
      "--project=demo",
      "--email=u@example.org",
      "--description=d",
      "--enable-lock-password",
      "fred",
    );
    assert.deepEqual(pick(user, "name", "email", "description", "enabled", "options", "domain_id"), [
      "fred",
      "u@example.org",
      "d",
      true,
      { lock_password: true },
      "default",
    ]);
    assert.match(
      await admin.fails("user", "create", "--password=x", "fred"),
      /Conflict occurred.*\(HTTP 409\)/,
    );
    assert.equal(
      (await admin.json<Fields>("user", "create", "--or-show", "--password=x", "fred"))["id"],
      user["id"],
    );
    assert.ok(column(await admin.json<Fields[]>("user", "list"), "Name").includes("fred"));
    await admin.run("role", "add", "--project=demo", "--user=fred", "member");
    const [, long] = await admin.json<Fields[]>(
      "user",
      "list",
      "--project=demo",
      "--long",
      "--sort-column=Name",
    );
    assert.ok(long !== undefined && "Enabled" in long);
    assert.deepEqual(column(await admin.json<Fields[]>("user", "list", "--project=demo"), "Name").sort(), [
      "admin",
      "demo",
      "fred",
    ]);

    const fred = stage.as(stage.credentials({ OS_USERNAME: "fred", OS_PASSWORD: "first" }));
    assert.equal((await fred.json<Fields>("user", "show", String(user["id"])))["name"], "fred");
    assert.match(
      await fred.fails("user", "password", "set", "--original-password=first", "--password=second"),
      /locked.*\(HTTP 403\)/,
    );
    await admin.run("user", "set", "--disable-lock-password", "fred");
    assert.match(
      await fred.fails("user", "password", "set", "--original-password=wrong", "--password=second"),
      /HTTP 401/,
    );
    await fred.run("user", "password", "set", "--original-password=first", "--password=second");
    const again = stage.as(stage.credentials({ OS_USERNAME: "fred", OS_PASSWORD: "second" }));
    assert.equal((await again.json<Fields>("token", "issue"))["user_id"], user["id"]);

    await admin.run(
      "user",
      "set",
      "--name=frieda",
      "--email=f@example.org",
      "--description=e",
      "--password=third",
      "--project=admin",
      "--disable",
      "fred",
    );
    assert.deepEqual(
      pick(await admin.json<Fields>("user", "show", "frieda"), "id", "email", "description", "enabled"),
      [user["id"], "f@example.org", "e", false],
    );
    assert.match(await again.fails("project", "list"), /HTTP 401/);
    await admin.run("user", "delete", "frieda");
    assert.match(await admin.fails("user", "show", "frieda"), /No user with a name or ID of 'frieda' exists/);
    assert.match(await demo.fails("user", "list"), /identity:list_users.*\(HTTP 403\)/);
  });
}
