import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { KilonovaError } from "../../kernel/index.js";
import { configDocs, loadConfig, maskSecrets, secret } from "./index.js";
import { processFolder } from "../../testkit/scratch.js";

const sections = {
  agent: z
    .object({
      softTimeoutMs: z
        .number()
        .int()
        .min(0)
        .default(60_000)
        .describe("Time a guest gets to power itself off, in ms."),
      hosts: z.array(z.string()).default([]).describe("Logical hosts."),
      key: secret(z.string().default("none")).describe("A key."),
    })
    .describe("The agent."),
};
const file = (text: string): string => {
  const path = join(processFolder("config"), "c.yaml");
  writeFileSync(path, text);
  return path;
};
const problems = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof KilonovaError);
    return error.message;
  }
  return assert.fail("should have thrown");
};

describe("loadConfig", () => {
  it("takes defaults, file, environment and flags, strongest last", () => {
    const path = file("agent:\n  softTimeoutMs: 1\n  hosts: [a]\n");
    assert.equal(loadConfig(sections, { env: {} }).agent.softTimeoutMs, 60_000);
    assert.equal(loadConfig(sections, { file: path, env: {} }).agent.softTimeoutMs, 1);
    const env = { KILONOVA_AGENT_SOFT_TIMEOUT_MS: "2", KILONOVA_AGENT_HOSTS: "[x, y]" };
    assert.deepEqual(loadConfig(sections, { file: path, env }).agent, {
      softTimeoutMs: 2,
      hosts: ["x", "y"],
      key: "none",
    });
    assert.equal(
      loadConfig(sections, { file: path, env, overrides: { agent: { softTimeoutMs: 3, hosts: undefined } } })
        .agent.softTimeoutMs,
      3,
    );
  });

  it("stops on every unknown key and bad value at once", () => {
    const text = problems(() =>
      loadConfig(sections, {
        file: file("agent: {softTimeoutMs: -1, typo: 1}\nnope: {}\n"),
        env: { KILONOVA_AGENT_TYPO: "1" },
      }),
    );
    for (const part of ["agent.softTimeoutMs", "typo", '"nope"', "KILONOVA_AGENT_TYPO"])
      assert.ok(text.includes(part), `${part} in ${text}`);
  });

  it("cannot be changed afterwards", () => {
    const config = loadConfig(sections, { env: {} });
    assert.throws(() => {
      (config.agent as { softTimeoutMs: number }).softTimeoutMs = 5;
    });
  });

  it("masks secrets and documents every option", () => {
    const config = loadConfig(sections, { env: { KILONOVA_AGENT_KEY: "hunter2" } });
    assert.equal(config.agent.key, "hunter2");
    assert.equal(maskSecrets(sections, config)["agent"]?.["key"], "***");
    assert.match(
      configDocs(sections),
      /softTimeoutMs \| KILONOVA_AGENT_SOFT_TIMEOUT_MS \| integer ≥ 0 \| `60000`/,
    );
  });
});
