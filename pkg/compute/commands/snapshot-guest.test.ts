import assert from "node:assert/strict";
import { Quiesce } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { rootCtx } from "../../kernel/index.js";
import type { DriverWith, SnapshotRequest } from "../driver.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import type { CommandHost } from "./command.js";
import snapshotGuest from "./snapshot-guest.js";
import uploadSnapshot from "./upload-snapshot.js";

const ctx = rootCtx({ requestId: "req-1" });
const SNAPSHOT = "5a000000-0000-4000-8000-000000000001";

type AbleHost = CommandHost<"takeSnapshot" | "openSnapshot" | "dropSnapshot">;

describe("images of guests", () => {
  let driver: FakeDriver;
  let serverId: string;
  beforeEach(async () => {
    driver = new FakeDriver({ hostname: "host1" });
    await driver.start(ctx);
    const spec = aGuestSpec();
    serverId = spec.instanceUuid;
    await driver.define(ctx, spec);
    await driver.powerOn(ctx, serverId);
  });

  const uploaded: { imageId: string; bytes: number }[] = [];
  const hostOf = (with_: DriverWith<"takeSnapshot" | "openSnapshot" | "dropSnapshot">) =>
    ({
      driver: with_,
      powerState: async () => PowerState.POWER_STATE_RUNNING,
      uploadImage: async (_ctx, imageId, open) => {
        const { data } = await open();
        let bytes = 0;
        for await (const chunk of data) bytes += chunk.length;
        uploaded.push({ imageId, bytes });
      },
    }) as Partial<AbleHost> as AbleHost;
  const tell = () => undefined;

  it("are copied, uploaded, and the copy is dropped", async () => {
    const call = { ctx, serverId, host: hostOf(driver), tell };
    const copy = await snapshotGuest.run(call, {
      snapshotId: SNAPSHOT,
      quiesce: Quiesce.QUIESCE_UNSPECIFIED,
    });
    assert.deepEqual([copy.diskFormat, driver.guest(serverId)?.snapshots], ["raw", [SNAPSHOT]]);
    await uploadSnapshot.run(call, { snapshotId: SNAPSHOT, imageId: "i1" });
    assert.deepEqual(uploaded, [{ imageId: "i1", bytes: Number(copy.sizeBytes) }]);
    assert.deepEqual(driver.guest(serverId)?.snapshots, []);
  });

  it("leave no copy when they are taken back", async () => {
    const call = { ctx, serverId, host: hostOf(driver), tell };
    const input = { snapshotId: SNAPSHOT, quiesce: Quiesce.QUIESCE_UNSPECIFIED };
    await snapshotGuest.run(call, input);
    for (const { undo, of } of [
      { undo: snapshotGuest.undo, of: input },
      { undo: uploadSnapshot.undo, of: { snapshotId: SNAPSHOT, imageId: "i1" } },
    ]) {
      assert.ok(undo);
      await undo.command.run(call as never, undo.input(of as never));
      assert.deepEqual(driver.guest(serverId)?.snapshots, []);
    }
  });

  it("ask for a frozen guest as they were told to", async () => {
    const asked: SnapshotRequest[] = [];
    const noting = Object.assign(Object.create(driver) as FakeDriver, {
      takeSnapshot: async (_ctx: unknown, _id: string, request: SnapshotRequest) => {
        asked.push(request);
        return { diskFormat: "raw", sizeBytes: 1, virtualSizeBytes: 1 };
      },
    });
    const call = { ctx, serverId, host: hostOf(noting), tell };
    for (const quiesce of [
      Quiesce.QUIESCE_UNSPECIFIED,
      Quiesce.QUIESCE_IF_POSSIBLE,
      Quiesce.QUIESCE_REQUIRED,
    ])
      await snapshotGuest.run(call, { snapshotId: SNAPSHOT, quiesce });
    assert.deepEqual(
      asked.map(({ quiesce }) => quiesce),
      ["no", "if-possible", "required"],
    );
  });
});
