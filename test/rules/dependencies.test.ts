import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise } from "dependency-cruiser";
import type { ICruiseResult, IFlattenedRuleSet } from "dependency-cruiser";

const rules = createRequire(import.meta.url)("../../.dependency-cruiser.cjs") as IFlattenedRuleSet;

/** Who imports whom, and the rule that forbids it; "" where it is right. */
const table: readonly (readonly [from: string, to: string, rule: string])[] = [
  ["pkg/kernel/a.ts", "pkg/model/b.ts", "kernel-imports-nothing"],
  ["pkg/kernel/a.ts", "node:fs", "kernel-imports-nothing"],
  ["pkg/platform/db/a.ts", "pkg/cells/index.ts", "platform-knows-no-service"],
  ["pkg/cells/domain/a.ts", "pkg/platform/db/b.ts", "decisions-know-no-effects"],
  ["pkg/cells/hosts/domain/a.ts", "pkg/cells/hosts/store/b.ts", "decisions-know-no-effects"],
  ["pkg/standalone/image/domain/a.ts", "pkg/standalone/image/ops/b.ts", "decisions-know-no-effects"],
  ["pkg/scheduler/filters/a.ts", "pkg/scheduler/adapters/peers/b.ts", "decisions-know-no-effects"],
  ["pkg/placement/domain/a.ts", "node:fs", "decisions-ask-no-machine"],
  ["pkg/model/a.ts", "node:crypto", ""],
  ["pkg/placement/domain/a.ts", "gen/b.ts", "gen-only-where-messages-are-spoken"],
  ["pkg/scheduler/ops/a.ts", "gen/b.ts", "gen-only-where-messages-are-spoken"],
  ["pkg/compute/drivers/qemu/a.ts", "gen/b.ts", "gen-only-where-messages-are-spoken"],
  ["pkg/compute/switch/a.ts", "gen/b.ts", "gen-only-where-messages-are-spoken"],
  ["pkg/standalone/network/ops/a.ts", "gen/b.ts", "gen-only-where-messages-are-spoken"],
  ["pkg/platform/db/a.ts", "gen/b.ts", "gen-only-where-messages-are-spoken"],
  ["pkg/platform/rpc/a.ts", "gen/b.ts", ""],
  ["pkg/placement/adapters/rpc/a.ts", "gen/b.ts", ""],
  ["pkg/cells/domain/a.ts", "gen/b.ts", ""],
  ["pkg/compute/agent/a.ts", "gen/b.ts", ""],
  ["pkg/api/ops/a.ts", "pkg/cells/domain/b.ts", "services-meet-through-protos"],
  ["pkg/api/ops/a.ts", "pkg/cells/index.ts", ""],
  ["pkg/cells/ops/a.ts", "pkg/cells/testing/b.ts", "no-test-code-in-production"],
  ["pkg/cells/ops/a.test.ts", "pkg/cells/testing/b.ts", ""],
];

describe("who may import whom", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-rules-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  /** The rules that the files in the folder break. */
  const broken = async (): Promise<string[]> => {
    const { output } = await cruise(["."], {
      baseDir: dir,
      validate: true,
      ruleSet: { forbidden: rules.forbidden ?? [] },
      tsPreCompilationDeps: true,
    });
    return (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name);
  };

  for (const [from, to, rule] of table)
    it(`${rule === "" ? "allows" : "forbids"} ${from} → ${to}`, async () => {
      const core = to.startsWith("node:");
      if (!core) put(to, "export const it = 1;\n");
      const up = "../".repeat(from.split("/").length - 1);
      put(from, `import * as it from "${core ? to : `${up}${to}`}";\nexport const own = it;\n`);
      assert.deepEqual(await broken(), rule === "" ? [] : [rule]);
    });

  it("forbids circles", async () => {
    put("pkg/api/ops/a.ts", `import { b } from "./b.ts";\nexport const a = (): unknown => b;\n`);
    put("pkg/api/ops/b.ts", `import { a } from "./a.ts";\nexport const b = (): unknown => a;\n`);
    assert.ok((await broken()).every((name) => name === "no-cycles"));
    assert.notEqual((await broken()).length, 0);
  });
});
