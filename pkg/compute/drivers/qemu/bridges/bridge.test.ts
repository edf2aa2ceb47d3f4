import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processFolder } from "../../../../testkit/scratch.js";
import { putInPlace } from "./bridge.js";

describe("putInPlace", () => {
  it("removes nothing of what a daemon made instead of a socket while the daemon is there", async () => {
    const folder = processFolder("bridge");
    const [served, socket] = [join(folder, "nbd.sock"), join(folder, "vol")];
    mkdirSync(served);
    writeFileSync(join(served, "file"), "");
    await assert.rejects(putInPlace({ served, socket }, undefined), /something else than a socket/);
    assert.deepEqual(readdirSync(socket), ["file"]);
  });
});
