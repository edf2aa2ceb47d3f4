import assert from "node:assert/strict";
import { ServerTagsServiceDefinition } from "../../../gen/kilonova/api/v1/server_tags_service.js";
import { NovaListing } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import { createPolicy } from "../../policy/index.js";
import { as, member } from "../testing/an-api.js";
import { behindPolicy } from "./behind-policy.js";
import type { DeclaredRules } from "./declared-rules.js";
import type { About, Subject } from "./guarded.js";
import { guarded, own } from "./guarded.js";
import type { Call } from "./rights.js";

interface Ask {
  readonly name: string;
}

const policy = createPolicy();
const declared: DeclaredRules = {
  deciding: "os_compute_api:os-server-tags:index",
  asked: new Set(["os_compute_api:os-server-tags:index", "os_compute_api:os-server-tags:show"]),
};
const ctx = as(member);

/** An operation that notes its steps. */
function anOperation(
  about: Partial<Subject> = {},
  run: (call: Call) => unknown = () => "answer",
  rules = declared,
) {
  const steps: string[] = [];
  const find: About<Ask, Subject> = (call) => {
    steps.push("about");
    return { ...own(call), ...about };
  };
  const op = guarded<Ask, unknown, Subject>(
    { name: (value, path, report) => value === "" && report(path, "is empty") },
    find,
    async (call) => {
      steps.push("run");
      return run(call);
    },
  );
  return { steps, ask: op.under(policy, rules), asNova: op.asNova(policy, rules) };
}

describe("guarded", () => {
  it("checks the shape, finds what the call is about, asks the rule, and only then works", async () => {
    const { steps, ask } = anOperation();
    await assert.rejects(ask(ctx, { name: "" }), { reason: "INVALID_REQUEST" });
    assert.deepEqual(steps, []);
    assert.equal(await ask(ctx, { name: "x" }), "answer");
    assert.deepEqual(steps, ["about", "run"]);
  });

  it("refuses by the first declared rule, about the owner of what was found", async () => {
    const { steps, ask } = anOperation({ owner: { project_id: "p2" } });
    await assert.rejects(ask(ctx, { name: "x" }), {
      reason: "FORBIDDEN",
      facts: { rule: "os_compute_api:os-server-tags:index" },
    });
    assert.deepEqual(steps, ["about"]);
  });

  it("asks another declared rule where the form of the request is its business", async () => {
    const other = { decides: "os_compute_api:os-server-tags:show", owner: { project_id: "p2" } } as const;
    await assert.rejects(anOperation(other).ask(ctx, { name: "x" }), {
      facts: { rule: "os_compute_api:os-server-tags:show" },
    });
    const open = { decides: "none", owner: { project_id: "p2" } } as const;
    assert.equal(await anOperation(open).ask(ctx, { name: "x" }), "answer");
  });

  it("judges an operation that another one asks by its own rules", async () => {
    const rules: DeclaredRules = {
      deciding: "os_compute_api:os-services:list",
      asked: new Set(["os_compute_api:os-services:list"]),
    };
    const inner = anOperation({}, () => "answer", rules);
    for (const ask of [inner.ask, (call: Call, list: Ask) => inner.asNova(call, { list, nova: undefined })])
      await assert.rejects(anOperation({}, (call) => ask(call, { name: "x" })).ask(ctx, { name: "x" }), {
        reason: "FORBIDDEN",
        facts: { rule: "os_compute_api:os-services:list" },
      });
    assert.equal(inner.steps.includes("run"), false);
  });

  it("fails where no rule decides by itself and the call names none", async () => {
    const rules = { ...declared, deciding: undefined };
    const { steps, ask } = anOperation({}, () => "answer", rules);
    await assert.rejects(ask(ctx, { name: "x" }), /no rule of the method decides by itself/);
    assert.deepEqual(steps, ["about"]);
    const named = { decides: "os_compute_api:os-server-tags:show", owner: { project_id: "p2" } } as const;
    await assert.rejects(anOperation(named, () => "answer", rules).ask(ctx, { name: "x" }), {
      reason: "FORBIDDEN",
      facts: { rule: "os_compute_api:os-server-tags:show" },
    });
  });

  it("fails where a rule is asked that the method does not declare, allowed or not", async () => {
    const undeclared = /does not declare that it asks os_compute_api:limits/;
    const decides = { decides: "os_compute_api:limits" } as const;
    await assert.rejects(anOperation(decides).ask(ctx, { name: "x" }), undeclared);
    for (const question of ["allows", "enforce"] as const) {
      const { ask } = anOperation({}, ({ rights }) => rights[question]("os_compute_api:limits"));
      await assert.rejects(ask(ctx, { name: "x" }), undeclared);
    }
  });

  it("refuses the gateway what it refuses everybody, however a list is asked", async () => {
    const { steps, asNova } = anOperation({ owner: { project_id: "p2" } });
    const list = { name: "x" };
    for (const nova of [undefined, NovaListing.fromPartial({ matchNothing: true })])
      await assert.rejects(asNova(ctx, { list, nova }), { reason: "FORBIDDEN" });
    assert.deepEqual(steps, ["about", "about"]);
    await assert.rejects(async () => asNova(ctx, { list: undefined, nova: undefined }), {
      reason: "INVALID_REQUEST",
    });
    await assert.rejects(asNova(ctx, { list: { name: "" }, nova: undefined }), { reason: "INVALID_REQUEST" });
    assert.equal(await anOperation().asNova(ctx, { list, nova: undefined }), "answer");
  });

  it("is not served for a method without rules, or with one that does not exist", () => {
    const op = guarded<object, object, Subject>({}, own, async () => ({}));
    const { listServerTags } = ServerTagsServiceDefinition.methods;
    const serve = (options: object): unknown =>
      behindPolicy(policy).part(
        { fullName: "x", methods: { list: { ...listServerTags, options } } } as never,
        { list: op } as never,
      );
    assert.throws(() => serve({}), /x\/ListServerTags declares no policy rule/);
    const ruled = (...rules: string[]): unknown => {
      const bytes = rules.map((rule) => Buffer.concat([Buffer.from([rule.length]), Buffer.from(rule)]));
      return serve({ _unknownFields: { [(50002 << 3) | 2]: bytes } });
    };
    assert.throws(() => ruled("unknown"), /or one that does not exist/);
    assert.throws(() => ruled("os_compute_api:limits", "unknown"), /or one that does not exist/);
    ruled("os_compute_api:limits");
  });
});
