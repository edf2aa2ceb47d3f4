import assert from "node:assert/strict";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { testCtx } from "../../testkit/ctx.js";
import { SERVER, aCall } from "../testing/a-call.js";
import { heldAgain, reservedAgain } from "./attachments.js";

const VOLUME = "a0000000-0000-4000-8000-000000000001";

/** A server's volume, with which a host is connected. */
async function attached() {
  const cinder = fakeCinder();
  cinder.addVolume({ id: VOLUME });
  const { id } = await cinder.createAttachment(testCtx(), { volumeId: VOLUME, serverId: SERVER });
  await cinder.updateAttachment(testCtx(), id, { host: "h1" });
  await cinder.completeAttachment(testCtx(), id);
  const asked: string[] = [];
  const ports = {
    cinder: {
      ...cinder,
      listAttachments: (...args: Parameters<typeof cinder.listAttachments>) => {
        asked.push("list");
        return cinder.listAttachments(...args);
      },
      createAttachment: (...args: Parameters<typeof cinder.createAttachment>) => {
        asked.push("create");
        return cinder.createAttachment(...args);
      },
      deleteAttachment: (...args: Parameters<typeof cinder.deleteAttachment>) => {
        asked.push("delete");
        return cinder.deleteAttachment(...args);
      },
    },
  };
  return { cinder, ports, asked, before: id };
}

describe("a server's attachment of a volume", () => {
  it("is a new one, and the only one", async () => {
    const { cinder, ports, asked, before } = await attached();
    const id = await reservedAgain(aCall({ firstStart: true }), ports, VOLUME);
    assert.notEqual(id, before);
    assert.deepEqual(
      [...cinder.attachments.values()].map((one) => [one.id, one.status]),
      [[id, "reserved"]],
    );
    assert.deepEqual(asked, ["list", "create", "delete"]);
  });

  it("stays the one at which somebody was cut short", async () => {
    const { cinder, ports } = await attached();
    const id = await heldAgain(aCall(), ports, VOLUME);
    await cinder.updateAttachment(testCtx(), id, { host: "h2" });
    assert.equal(await heldAgain(aCall(), ports, VOLUME), id);
    assert.equal(cinder.attachments.size, 1);
  });

  it("is the same for two who are at it at once: one of them had been taken for dead", async () => {
    const { cinder, ports } = await attached();
    const ids = await Promise.all([1, 2].map(() => heldAgain(aCall(), ports, VOLUME)));
    assert.equal(ids[0], ids[1]);
    assert.deepEqual([...cinder.attachments.keys()], [ids[0]]);
  });

  it("is left alone by who has lost the operation", async () => {
    const { cinder, ports, before } = await attached();
    const lost = { ...aCall(), ctx: testCtx({ signal: AbortSignal.abort(new Error("lost")) }) };
    await assert.rejects(heldAgain(lost, ports, VOLUME), { message: "lost" });
    assert.deepEqual([...cinder.attachments.keys()], [before]);
  });
});
