import assert from "node:assert/strict";
import { rootCtx } from "../../../kernel/index.js";
import type { Arrival } from "../../driver.js";
import { pieceOf } from "../disk-pieces.js";
import { aGuestSpec, aVolume } from "../testing/a-spec.js";
import { noIsolation } from "../testing/no-isolation.js";
import type { HardwareOffer } from "./config.js";
import { wantedDefinition } from "./define-guest.js";
import { toDefinition, withNic, withoutNic } from "./definition.js";
import type { Definition } from "./definition.js";
import { guestPaths } from "./guest-paths.js";
import { comingLayout, layoutHere, layoutOf } from "./layout.js";
import type { Layout } from "./layout.js";
import { withKnownAs, withVolume, withoutVolume } from "./volume-device.js";

const ctx = rootCtx({ requestId: "req-layout" });
const [OLD, NEW, PC] = ["pc-q35-7.2", "pc-q35-9.0", "pc-i440fx-7.2"];
const spec = aGuestSpec({ rootGib: 1 });
const paths = guestPaths("/state", "/run/k", spec.instanceUuid);
const offer = (...machines: string[]): HardwareOffer => ({
  pinned: { q35: NEW, pc: PC },
  machines: new Map(machines.map((name) => [name, 255])),
  cpuModels: new Set(),
});
const volume = (volumeId: string) => ({ ...aVolume({ volumeId }), readOnly: false, shared: false });
const [nic] = spec.interfaces;
const other = { ...(nic ?? assert.fail()), portId: "other" };

/** A guest of an older QEMU, with an interface and a volume that came late, behind places that are free. */
function atFirst(): Definition {
  const full = [volume("gone"), volume("v")].reduce(
    (so, one) => withVolume(so, one),
    withNic({ ...toDefinition(spec, OLD), rootPorts: 8 }, other),
  );
  return withoutVolume(withoutNic(full, nic?.portId ?? ""), "gone");
}
const thereWith = (layout: Layout | undefined, has: HardwareOffer): Definition =>
  wantedDefinition(
    { spec: { ...spec, interfaces: [other] }, before: undefined, uidBefore: undefined, paths, layout },
    { offer: has, runDir: "/run/k", isolation: noIsolation },
  );
const placesOf = ({ machine, rootPorts, spec: { interfaces }, volumes }: Definition) => [
  machine,
  rootPorts,
  ...interfaces.map(({ portId, slot }) => `${portId} ${slot}`),
  ...volumes.map(({ volumeId, slot }) => `${volumeId} ${slot}`),
];

describe("a machine at another host", () => {
  it("is the one that the guest knows, with all in its place", () => {
    const before = atFirst();
    assert.deepEqual(placesOf(before), [OLD, 8, "other 1", "v 3"]);
    const there = thereWith(layoutOf(before), offer(OLD, NEW));
    assert.deepEqual(placesOf(withVolume(there, volume("v"))), placesOf(before));
    // A new one would be this.
    assert.deepEqual(placesOf(withVolume(thereWith(undefined, offer(OLD, NEW)), volume("v"))), [
      NEW,
      12,
      "other 0",
      "v 1",
    ]);
  });

  it("knows volumes by the ids that they are given with", () => {
    const before = withKnownAs(atFirst(), "v", "migrated") ?? assert.fail();
    const there = thereWith(layoutOf(before), offer(OLD, NEW));
    assert.equal(withVolume(there, volume("migrated")).volumes[0]?.slot, 3);
  });

  it("gives a volume another place where the former one is taken", () => {
    const there = thereWith(layoutOf(atFirst()), offer(OLD, NEW));
    const full = ["a", "b", "c"].reduce((so, id) => withVolume(so, volume(id)), there);
    assert.equal(full.volumes.at(-1)?.slot, 3);
    assert.equal(withVolume(full, volume("v")).volumes.at(-1)?.slot, 4);
  });

  it("has volumes in their places, too, on a bus without slots of its own", () => {
    const onScsi = (volumeId: string) => ({ ...volume(volumeId), bus: "scsi" });
    const full = ["gone", "v"].reduce((so, id) => withVolume(so, onScsi(id)), toDefinition(spec, OLD));
    const before = withoutVolume(full, "gone");
    const there = withVolume(thereWith(layoutOf(before), offer(OLD, NEW)), onScsi("v"));
    const unitOf = ({ volumes }: Definition) => volumes[0]?.unit ?? assert.fail();
    const first = unitOf(withVolume(toDefinition(spec, OLD), onScsi("v")));
    assert.deepEqual([unitOf(before), unitOf(there)], [first + 1, first + 1]);
  });

  it("is a newer one, with all in its place, where the other host's is not had", () => {
    const { machine, rootPorts, spec: there } = thereWith(layoutOf(atFirst()), offer(NEW));
    assert.deepEqual([machine, rootPorts, there.interfaces[0]?.slot], [NEW, 8, 1]);
  });

  const layout = layoutOf(atFirst());
  const strange: readonly [what: string, layout: Layout][] = [
    ["is of the other family", { ...layout, machine: PC }],
    ["has more ports than any", { ...layout, rootPorts: 99 }],
    ["has a place twice", { ...layout, volumes: [{ volumeId: "v", bus: "virtio", slot: 1, unit: null }] }],
    ["has a place that is none", { ...layout, interfaces: [{ portId: "other", slot: 8 }] }],
  ];
  for (const [what, one] of strange)
    it(`is made anew when what comes ${what}`, () =>
      assert.equal(layoutHere(one, { hardware: {} }, offer(OLD, NEW)), undefined));

  it("is no longer the old one when the image asks for another", () => {
    const asked = { hardware: { machineType: NEW } };
    assert.equal(layoutHere(layout, asked, offer(OLD, NEW))?.machine, NEW);
    const unpinned = { ...layout, machine: "pc-q35-7.2,accel=kvm" };
    assert.equal(layoutHere(unpinned, { hardware: {} }, offer(unpinned.machine, NEW))?.machine, NEW);
  });

  const coming = (text: string, sizeBytes = text.length): Arrival => ({
    transferId: "t",
    disks: [{ name: "layout", format: "raw", sizeBytes, dataBytes: 1 }],
    async *open() {
      yield pieceOf(0, Buffer.from(text));
    },
  });

  it("is told with the disks", async () => {
    assert.deepEqual(await comingLayout(ctx, coming(JSON.stringify(layout))), layout);
    assert.equal(await comingLayout(ctx, { ...coming("{}"), disks: [] }), undefined);
    for (const text of ["{", "{}", JSON.stringify({ ...layout, interfaces: [{ portId: "p", slot: -1 }] })])
      assert.equal(await comingLayout(ctx, coming(text)), undefined);
    await assert.rejects(comingLayout(ctx, coming("{}", 1024 ** 2)), { reason: "TRANSFER_BROKEN" });
    await assert.rejects(comingLayout(ctx, coming("{}", 1)), { reason: "TRANSFER_BROKEN" });
  });
});
