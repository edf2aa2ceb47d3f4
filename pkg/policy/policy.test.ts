import assert from "node:assert/strict";
import { anonymous } from "../kernel/index.js";
import type { Actor } from "../kernel/index.js";
import { createPolicy, parseOverrides, ruleDefaults } from "./index.js";

const user = (init: Partial<Actor> = {}): Actor => ({
  ...anonymous,
  kind: "user",
  userId: "u1",
  projectId: "p1",
  roles: ["member", "reader"],
  ...init,
});
const admin = user({ userId: "root", projectId: "adm", roles: ["admin", "manager", "member", "reader"] });
const bad = { name: "KilonovaError", reason: "BAD_POLICY" };

describe("createPolicy", () => {
  const policy = createPolicy();

  it("has all rules of the Compute API", () => {
    assert.equal(Object.keys(ruleDefaults).length, 214);
  });

  it("lets members act on their own project only", () => {
    assert.equal(policy.allows(user(), "os_compute_api:servers:create", { project_id: "p1" }), true);
    assert.equal(policy.allows(user(), "os_compute_api:servers:create", { project_id: "p2" }), false);
    assert.equal(
      policy.allows(user({ roles: ["reader"] }), "os_compute_api:servers:create", { project_id: "p1" }),
      false,
    );
    assert.equal(
      policy.allows(user({ roles: ["reader"] }), "os_compute_api:servers:show", { project_id: "p1" }),
      true,
    );
  });

  it("lets administrators act on every project and compares roles without case", () => {
    assert.equal(policy.allows(admin, "os_compute_api:servers:delete", { project_id: "p9" }), true);
    assert.equal(
      policy.allows(user({ roles: ["Admin"] }), "os_compute_api:servers:delete", { project_id: "p9" }),
      true,
    );
  });

  it("refuses with Nova's sentence", () => {
    assert.throws(() => policy.enforce(user(), "os_compute_api:os-services:list"), {
      reason: "FORBIDDEN",
      kind: "forbidden",
      message: "Policy doesn't allow os_compute_api:os-services:list to be performed.",
    });
  });

  it("lets nobody resize across cells, and lets users see their own key pairs", () => {
    assert.equal(policy.allows(admin, "compute:servers:resize:cross_cell"), false);
    assert.equal(policy.allows(user(), "os_compute_api:os-keypairs:show", { user_id: "u1" }), true);
    assert.equal(policy.allows(user(), "os_compute_api:os-keypairs:show", { user_id: "u2" }), false);
  });

  it("refuses tokens of another scope whatever their roles", () => {
    const system = user({ ...admin, projectId: "", systemScope: true });
    assert.equal(policy.allows(system, "os_compute_api:os-services:list"), false);
    assert.equal(
      policy.allows(
        user({ ...admin, projectId: "", domainId: "default" }),
        "os_compute_api:os-services:list",
      ),
      false,
    );
  });

  it("refuses when the target lacks what the check asks for", () => {
    assert.equal(policy.allows(user(), "os_compute_api:servers:show", {}), false);
  });
});

describe("overrides of a policy", () => {
  const withFile = (text: string): ReturnType<typeof createPolicy> => createPolicy(parseOverrides(text));

  it("replaces checks and may use building blocks of its own", () => {
    const policy = withFile(
      `"operator": "role:operator or role:admin"\n"os_compute_api:os-services:list": "rule:operator"\n`,
    );
    assert.equal(policy.allows(user({ roles: ["operator"] }), "os_compute_api:os-services:list"), true);
    assert.equal(policy.allows(user(), "os_compute_api:os-services:list"), false);
    assert.equal(policy.checkOf("os_compute_api:os-services:list"), "rule:operator");
  });

  it("makes is_admin follow an override of context_is_admin", () => {
    const policy = withFile(
      `{"context_is_admin": "role:boss", "os_compute_api:os-services:list": "is_admin:True"}`,
    );
    assert.equal(policy.allows(user({ roles: ["boss"] }), "os_compute_api:os-services:list"), true);
    assert.equal(policy.allows(admin, "os_compute_api:os-services:list"), false);
  });

  it("reads literals, system scope and mixed text", () => {
    const policy = withFile(`
      os_compute_api:limits: "'gold':%(tier)s"
      os_compute_api:extensions: "project_id:p%(number)s"
      os_compute_api:os-availability-zone:list: "not system_scope:all"`);
    assert.equal(policy.allows(user(), "os_compute_api:limits", { tier: "gold" }), true);
    assert.equal(policy.allows(user(), "os_compute_api:extensions", { number: "1" }), true);
    assert.equal(policy.allows(user(), "os_compute_api:extensions", {}), false);
    assert.equal(policy.allows(user(), "os_compute_api:os-availability-zone:list"), true);
  });

  it("spreads an old name over the rules that replaced it; the new name wins", () => {
    const policy = withFile(`os_compute_api:os-hosts: "@"\nos_compute_api:os-hosts:show: "!"`);
    assert.equal(policy.allows(user(), "os_compute_api:os-hosts:list"), true);
    assert.equal(policy.allows(user(), "os_compute_api:os-hosts:show"), false);
  });

  for (const [what, text] of [
    ["unknown rules", `os_compute_api:servers:explode: "@"`],
    ["references to unknown rules", `os_compute_api:limits: "rule:nobody_home"`],
    ["circles", `{"a": "rule:b", "b": "rule:a", "os_compute_api:limits": "rule:a"}`],
    ["syntax errors", `os_compute_api:limits: "role:a or"`],
    ["lists of checks", `os_compute_api:limits: [["role:a"]]`],
    ["files that are no map", `- a`],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => withFile(text), bad);
    });
  }
});
