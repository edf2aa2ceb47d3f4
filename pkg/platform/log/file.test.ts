import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../testkit/scratch.js";
import { until } from "../../testkit/until.js";
import { openFileDestination } from "./file.js";

describe("a log file", () => {
  const folder = scratchFolder("log");

  it("takes no more room than it is given, however much is written, and keeps the newest lines", async () => {
    const path = join(folder(), "k.log");
    const log = openFileDestination(path, { maxBytes: 1_000, kept: 2 });
    const line = (n: number): string => `${String(n).padStart(99, " ")}\n`;
    for (let n = 0; n < 105; n++) {
      log.write(line(n));
      // Each line is written for itself, as under a steady stream.
      await until(() => lines(folder()).some((text) => text === line(n).trim()), { what: `line ${n}` });
    }
    const closed = new Promise((resolve) => log.once("close", resolve));
    log.end();
    await closed;
    assert.deepEqual(readdirSync(folder()).sort(), ["k.log", "k.log.1", "k.log.2"]);
    const sizes = readdirSync(folder()).map((name) => statSync(join(folder(), name)).size);
    assert.ok(sizes.reduce((a, b) => a + b) <= 3_000, sizes.join(" "));
    assert.ok(lines(folder()).includes("104") && lines(folder()).includes("85"));
    for (const name of readdirSync(folder()))
      assert.equal(statSync(join(folder(), name)).mode & 0o777, 0o600);
  });
});

const lines = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .map((text) => text.trim())
      .filter(Boolean),
  );
