import assert from "node:assert/strict";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack role`, `role assignment`, `implied role` and `application credential`. */
export function roles(stage: Stage): void {
  it("role create, list, show, set, add, remove, delete; role assignment list", async () => {
    const { admin, demo } = stage;
    const role = await admin.json<Fields>("role", "create", "--description=d", "auditor");
    assert.deepEqual(pick(role, "name", "description", "domain_id", "options"), ["auditor", "d", null, {}]);
    assert.match(await admin.fails("role", "create", "auditor"), /Conflict occurred.*\(HTTP 409\)/);
    assert.equal((await admin.json<Fields>("role", "create", "--or-show", "auditor"))["id"], role["id"]);
    assert.deepEqual(column(await admin.json<Fields[]>("role", "list"), "Name").sort(), [
      "admin",
      "auditor",
      "manager",
      "member",
      "reader",
      "service",
    ]);
    await admin.run("role", "set", "--name=inspector", "--description=e", "auditor");
    assert.deepEqual(pick(await admin.json<Fields>("role", "show", "inspector"), "id", "description"), [
      role["id"],
      "e",
    ]);

    const assigned = async (...filter: readonly string[]): Promise<unknown[]> =>
      (await admin.json<Fields[]>("role", "assignment", "list", "--names", ...filter)).map((row) =>
        pick(row, "Role", "User", "Project", "Domain", "System")
          .filter((cell) => cell !== "")
          .join(" "),
      );
    for (const target of [["--project=demo"], ["--domain=Default"], ["--system=all"]])
      await admin.run("role", "add", ...target, "--user=demo", "inspector");
    await admin.run("role", "add", "--project=demo", "--user=demo", "inspector");
    assert.deepEqual(await assigned("--user=demo", "--role=inspector"), [
      "inspector demo@Default Default",
      "inspector demo@Default demo@Default",
      "inspector demo@Default all",
    ]);
    assert.deepEqual(await assigned("--user=demo", "--system=all"), ["inspector demo@Default all"]);
    assert.deepEqual(
      (await assigned("--user=demo", "--project=demo", "--effective")).sort(),
      ["inspector", "member", "reader"].map((name) => `${name} demo@Default demo@Default`),
    );
    assert.ok(
      (await assigned("--auth-user", "--auth-project")).includes("admin admin@Default admin@Default"),
    );
    for (const target of [["--project=demo"], ["--domain=Default"], ["--system=all"]])
      await admin.run("role", "remove", ...target, "--user=demo", "inspector");
    assert.match(
      await admin.fails("role", "remove", "--project=demo", "--user=demo", "inspector"),
      /Could not find role assignment.*\(HTTP 404\)/,
    );
    assert.deepEqual(await assigned("--role=inspector"), []);

    const implied = await admin.json<Fields>(
      "implied",
      "role",
      "create",
      "--implied-role=reader",
      "inspector",
    );
    assert.deepEqual(pick(implied, "prior_role", "implies").length, 2);
    assert.ok(
      column(await admin.json<Fields[]>("implied", "role", "list"), "Prior Role Name").includes("inspector"),
    );
    assert.match(
      await admin.fails("implied", "role", "create", "--implied-role=inspector", "reader"),
      /imply itself.*\(HTTP 400\)/,
    );
    await admin.run("implied", "role", "delete", "--implied-role=reader", "inspector");
    await admin.run("role", "delete", "inspector");
    assert.match(
      await admin.fails("role", "show", "inspector"),
      /No role with a name or ID of 'inspector' exists/,
    );
    assert.match(await demo.fails("role", "create", "mine"), /identity:create_role.*\(HTTP 403\)/);
  });

  it("application credential create, list, show, delete, and what can be done with one", async () => {
    const { demo } = stage;
    const made = await demo.json<Fields>(
      "application",
      "credential",
      "create",
      "--description=d",
      "--role=reader",
      "--expiration=2100-01-01T00:00:00",
      "--secret=quiet",
      "robot",
    );
    assert.deepEqual(pick(made, "name", "description", "secret", "unrestricted", "expires_at"), [
      "robot",
      "d",
      "quiet",
      false,
      "2100-01-01T00:00:00.000000Z",
    ]);
    assert.match(
      await demo.fails("application", "credential", "create", "--role=member", "robot"),
      /Conflict occurred.*\(HTTP 409\)/,
    );
    assert.match(
      await demo.fails("application", "credential", "create", "--expiration=2001-01-01T00:00:00", "late"),
      /must be in the future.*\(HTTP 400\)/,
    );
    assert.deepEqual(column(await demo.json<Fields[]>("application", "credential", "list"), "Name"), [
      "robot",
    ]);
    assert.equal((await demo.json<Fields>("application", "credential", "show", "robot"))["id"], made["id"]);

    const nobody = {
      OS_USERNAME: undefined,
      OS_PASSWORD: undefined,
      OS_PROJECT_NAME: undefined,
      OS_USER_DOMAIN_NAME: undefined,
      OS_PROJECT_DOMAIN_NAME: undefined,
    };
    const robot = stage.as(
      stage.credentials({
        ...nobody,
        OS_AUTH_TYPE: "v3applicationcredential",
        OS_APPLICATION_CREDENTIAL_ID: String(made["id"]),
        OS_APPLICATION_CREDENTIAL_SECRET: "quiet",
      }),
    );
    assert.equal(
      (await robot.json<Fields>("token", "issue"))["user_id"],
      (await demo.json<Fields>("token", "issue"))["user_id"],
    );
    assert.deepEqual(column(await robot.json<Fields[]>("network", "list"), "Name"), ["private"]);
    assert.match(await robot.fails("network", "create", "mine"), /disallowed by policy/);
    await demo.run("application", "credential", "delete", "robot");
    assert.match(await robot.fails("network", "list"), /HTTP 401|authentication/);
    assert.match(
      await demo.fails("application", "credential", "show", "robot"),
      /No applicationcredential with a name or ID of 'robot' exists/i,
    );
  });
}
