import assert from "node:assert/strict";
import { ServerSortField, ServerText } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { PowerState, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { someRequest } from "../../testing/requests.js";
import { selectionOf } from "./filter.js";
import { sortOf } from "./sort.js";

const select = (query: string, minor = 104, who: "admin" | "member" = "member") =>
  selectionOf(someRequest({ query, minor, who }));

describe("gateway: server list filters", () => {
  it("drops what others than administrators may not use, silently", () => {
    assert.deepEqual(select("host=c1&name=web&uuid=x"), {
      filter: { nameRegex: "web" },
      matchNothing: false,
      allProjects: false,
      filtered: true,
    });
    assert.deepEqual(select("host=c1&node=n1", 1, "admin").filter, {
      host: "c1",
      textMatches: [{ field: ServerText.SERVER_TEXT_NODE, regex: "n1" }],
    });
  });

  it("opens filters to everybody with their microversions", () => {
    const opened: readonly [query: string, minor: number][] = [
      ["ip6=fd00", 5],
      ["tags=a", 26],
      ["changes-before=2026-01-01", 66],
      ["locked=1", 73],
      ["user_id=u", 83],
      ["hostname=h", 90],
    ];
    for (const [query, minor] of opened) {
      assert.equal(select(query, minor - 1).filtered, false, `${query} below 2.${minor}`);
      assert.equal(select(query, minor).filtered, true, `${query} at 2.${minor}`);
    }
  });

  it("reads each status as states and tasks", () => {
    assert.deepEqual(select("status=active").filter, { vmStates: [VmState.VM_STATE_ACTIVE] });
    assert.deepEqual(select("status=REBOOT").filter, {
      vmStates: [VmState.VM_STATE_ACTIVE],
      taskStates: ["rebooting", "reboot_pending", "reboot_started"],
    });
    assert.deepEqual(select("status=ERROR&status=SHUTOFF").filter, {
      vmStates: [VmState.VM_STATE_STOPPED, VmState.VM_STATE_ERROR],
    });
    assert.deepEqual(select("status=REBOOT&status=PAUSED").filter, {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_PAUSED],
    });
    assert.equal(select("status=weird", 37).matchNothing, true);
    assert.deepEqual(select("status=deleted", 1, "admin").filter, { vmStates: [VmState.VM_STATE_DELETED] });
    assert.deepEqual(select("status=deleted&status=active").filter, { vmStates: [VmState.VM_STATE_ACTIVE] });
    assert.equal(select("vm_state=deleted", 83).matchNothing, true);
    assert.equal(select("status=active").matchNothing, false);
  });

  it("takes the last of a repeated parameter, except for status", () => {
    assert.deepEqual(select("name=a&name=b").filter, { nameRegex: "b" });
  });

  it("treats projects of others as asked only together with all_tenants", () => {
    assert.deepEqual(select("project_id=p2", 1, "admin"), {
      filter: {},
      matchNothing: false,
      allProjects: false,
      filtered: true,
    });
    assert.deepEqual(select("project_id=p2&all_tenants=", 1, "admin"), {
      filter: { projectId: "p2" },
      matchNothing: false,
      allProjects: true,
      filtered: true,
    });
    assert.equal(select("all_tenants=True").allProjects, true);
    assert.equal(select("all_tenants=off").allProjects, false);
    assert.throws(() => select("all_tenants=maybe"), { reason: "BAD_REQUEST" });
  });

  it("reads states, numbers and lists", () => {
    assert.deepEqual(
      select("vm_state=soft-delete&power_state=4&progress=50&task_state=spawning", 83).filter,
      {
        vmStates: [VmState.VM_STATE_SOFT_DELETED],
        softDeleted: false,
        powerStates: [PowerState.POWER_STATE_SHUTDOWN],
        taskStates: ["spawning"],
        textMatches: [{ field: ServerText.SERVER_TEXT_PROGRESS, regex: "50" }],
      },
    );
    assert.equal(select("power_state=5", 83).matchNothing, true);
    assert.deepEqual(select("tags=a,b&not-tags-any=c", 26).filter, { tags: ["a", "b"], notTagsAny: ["c"] });
    assert.deepEqual(select("deleted=yes", 1, "admin").filter, { deleted: true });
    assert.deepEqual(select("deleted=what", 1, "admin").filter, { deleted: false });
    assert.deepEqual(select("deleted=yes").filter, {});
    assert.deepEqual(select("changes-since=2026-01-01T00:00:00.5Z").filter, {
      changesSince: { seconds: 1_767_225_600n, nanos: 500_000_000 },
    });
  });

  it("refuses regular expressions outside of RE2's syntax, naming the parameter", () => {
    for (const [query, name] of [
      ["name=(a)%5C1", "name"],
      ["ip=(%3F!1)", "ip"],
      ["key_name=***a", "key_name"],
    ] as const)
      assert.throws(
        () => select(query),
        (error: Error) => error.message.startsWith(`Invalid input for query parameters ${name}: it `),
      );
  });

  it("takes a point in time for itself, and anything else as a regular expression over its text", () => {
    assert.deepEqual(select("created_at=2026-01-01T00:00:00Z").filter, {
      createdAt: { seconds: 1_767_225_600n, nanos: 0 },
    });
    assert.deepEqual(select("created_at=2026-01-.1 0").filter, {
      textMatches: [{ field: ServerText.SERVER_TEXT_CREATED_AT, regex: "2026-01-.1 0" }],
    });
  });

  const nameOf = (field: ServerSortField): string | undefined =>
    Object.entries(ServerSortField)
      .find(([, value]) => value === field)?.[0]
      .replace("SERVER_SORT_FIELD_", "");
  const order = (query: string, minor = 104, who: "admin" | "member" = "member") =>
    sortOf(someRequest({ query, minor, who })).map(
      ({ field, direction }) => `${nameOf(field)} ${direction === 1 ? "asc" : "desc"}`,
    );

  it("repeats the first direction for keys without one, and ignores keys without effect", () => {
    assert.deepEqual(order(""), []);
    assert.deepEqual(order("sort_dir=asc"), ["CREATED_AT asc"]);
    assert.deepEqual(order("sort_key=uuid"), ["ID desc"]);
    assert.deepEqual(order("sort_key=uuid&sort_key=host&sort_dir=asc", 104, "admin"), ["ID asc", "HOST asc"]);
    assert.deepEqual(order("sort_key=uuid&sort_key=display_name&sort_dir=asc&sort_dir=desc"), [
      "ID asc",
      "NAME desc",
    ]);
    assert.deepEqual(order("sort_key=vcpus&sort_key=uuid", 74), ["ID desc"]);
    assert.deepEqual(order("sort_key=locked", 72), []);
    assert.deepEqual(order("sort_key=locked", 73), ["LOCKED_BY desc"]);
  });
});
