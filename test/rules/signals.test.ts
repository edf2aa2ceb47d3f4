import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** May listen by themselves: what the others do it with, and a package that has no kernel. */
const THEMSELVES = ["pkg/kernel/signals.ts", "pkg/sdk/"];

/** Listeners of an event target are chained, and more than ten on one signal are told as a leak. */
describe("whoever waits for a signal", () => {
  it("waits by the kernel's words", () => {
    const sources = ["pkg", "cmd"].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
    );
    const wrong = sources
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.includes("/testing/"))
      .filter((path) => !THEMSELVES.some((start) => path.startsWith(start)))
      .filter((path) =>
        /addEventListener\("abort"|AbortSignal\.any|setMaxListeners\(0, /.test(readFileSync(path, "utf8")),
      );
    assert.deepEqual(wrong, []);
  });
});
