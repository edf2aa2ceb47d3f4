import assert from "node:assert/strict";
import type { Change } from "../engine/kind.js";
import { testCtx } from "../../testkit/ctx.js";
import { FROM, TO, aMove, doneOf, newFlavor, statusesOf } from "../testing/a-move.js";
import { movePorts } from "./move-ports.js";
import { returnPorts } from "./return-ports.js";

const flavor = newFlavor as never;

/** Where a change has the server be, and of which flavor. */
const placeOf = ({ set, more }: Change): unknown[] => [
  set?.hostInfo?.host,
  set?.hostInfo?.node,
  set?.hostInfo?.computeNodeUuid,
  set?.hostInfo?.launchedOn,
  set?.availabilityZone,
  set?.flavor?.id,
  more?.spec?.flavor?.id,
  more?.specMask,
  more?.replaceHostResources,
];
const there = [TO, "n2", "c2", "h0", "west", "2", "2", ["flavor"], true];
const back = [FROM, "n1", "c1", "h0", "east", "1", "1", ["flavor"], true];

describe("move-ports", () => {
  it("binds the ports to the new host, where the server is from now on, with its new flavor", async () => {
    const { ports, moving, neutron } = await aMove();
    for (let n = 0; n < 2; n++) {
      const { change = {} } = doneOf(await movePorts(ports).run(moving({ flavor })));
      assert.deepEqual(placeOf(change), there);
      assert.deepEqual(statusesOf(change), ["post-migrating"]);
      assert.equal(change.ports?.length, 1);
      const [port] = [...neutron.ports.values()];
      assert.deepEqual([port?.bindingHostId, port?.deviceOwner], [TO, "compute:west"]);
    }
  });

  it("changes no flavor where none was asked for", async () => {
    const { ports, moving } = await aMove({ oldFlavor: undefined });
    const { change } = doneOf(await movePorts(ports).run(moving()));
    assert.deepEqual([change?.set?.flavor, change?.more?.specMask], [undefined, undefined]);
    const undone = await movePorts(ports).undo?.(moving());
    assert.deepEqual([undone?.set?.flavor, undone?.more?.specMask], [undefined, undefined]);
  });

  it("is undone, again and again, and before it ran: all is as it was", async () => {
    const resources = { limits: { vcpus: 8n } } as never;
    const { ports, moving, migration, neutron } = await aMove();
    if (migration.source !== undefined) migration.source.resources = resources;
    const early = await movePorts(ports).undo?.(moving({ flavor }));
    assert.deepEqual(placeOf(early ?? {}), back);
    doneOf(await movePorts(ports).run(moving({ flavor })));
    for (let n = 0; n < 2; n++) {
      const change = await movePorts(ports).undo?.(moving({ flavor }));
      assert.deepEqual(placeOf(change ?? {}), back);
      assert.equal(change?.more?.hostResources, resources);
      assert.equal(change?.ports?.length, 1);
      const [port] = [...neutron.ports.values()];
      assert.deepEqual([port?.bindingHostId, port?.deviceOwner], [FROM, "compute:east"]);
    }
  });

  it("forgets ports that somebody has deleted meanwhile", async () => {
    const { ports, moving, neutron } = await aMove();
    for (const id of [...neutron.ports.keys()]) await neutron.deletePort(testCtx(), id);
    const { change } = doneOf(await movePorts(ports).run(moving()));
    assert.deepEqual(change?.ports, []);
  });
});

describe("return-ports", () => {
  it("has the server be where and what it was before", async () => {
    const { ports, ending, neutron } = await aMove({ status: "finished" });
    const { change = {} } = doneOf(await returnPorts(ports).run(ending()));
    assert.deepEqual(placeOf(change), back);
    assert.equal([...neutron.ports.values()][0]?.bindingHostId, FROM);
  });
});
