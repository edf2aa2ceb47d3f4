import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processFolder } from "../../../../testkit/scratch.js";
import { bridgeSocket, monitorAt, putInPlace } from "./bridge.js";

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

describe("the monitor of a volume's daemon", () => {
  const at = { qmpSocket: "/run/a,b/qmp.sock" };

  it("waits for its agent before it does anything", () => {
    assert.match(monitorAt(at), /,wait=on$/);
  });

  it("is what the daemon is known by, also one of an earlier release", () => {
    for (const wait of ["on", "off"] as const) assert.equal(bridgeSocket(monitorAt(at, wait)), at.qmpSocket);
    assert.equal(bridgeSocket("socket,id=qmp1,path=/run/qmp.sock,server=on,wait=on"), undefined);
  });
});
