import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPolicy } from "./policy-file.js";

describe("policy file", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "policy-"));
  });
  after(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const withText = (text: string): ReturnType<typeof openPolicy> => {
    const file = join(dir, "policy.yaml");
    writeFileSync(file, text);
    return openPolicy({ file });
  };

  it("overrides rules, and leaves the others as they are", () => {
    const policy = withText(`"os_compute_api:servers:create": "role:builder"\n`);
    assert.equal(policy.checkOf("os_compute_api:servers:create"), "role:builder");
    assert.equal(
      policy.checkOf("os_compute_api:servers:show"),
      openPolicy({ file: "" }).checkOf("os_compute_api:servers:show"),
    );
  });

  it("names the rule that is wrong", () => {
    assert.throws(() => withText(`"os_compute_api:servers:creat": "role:builder"\n`), {
      message: "Policy rule os_compute_api:servers:creat: there is no such rule",
    });
    assert.throws(() => withText(`"os_compute_api:servers:create": "role:a and"\n`), {
      message: "Policy rule os_compute_api:servers:create: it ends too early",
    });
  });

  it("names the option and the file that cannot be read", () => {
    const file = join(dir, "absent.yaml");
    assert.throws(() => openPolicy({ file }), {
      message: `The configuration is not usable:\n- policy.file: ${file} cannot be read (ENOENT)`,
    });
  });
});
