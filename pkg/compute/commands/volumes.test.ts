import assert from "node:assert/strict";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { AttachVolumeInput, SwapVolumeInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { rootCtx } from "../../kernel/index.js";
import { guestVolume } from "../volumes/index.js";
import attachVolume from "./attach-volume.js";
import type { CommandHost } from "./command.js";
import describeConnector from "./describe-connector.js";
import detachVolume from "./detach-volume.js";
import extendVolume from "./extend-volume.js";
import renameVolume from "./rename-volume.js";
import swapVolume from "./swap-volume.js";

type Methods =
  "attachVolume" | "detachVolume" | "extendVolume" | "swapVolume" | "renameVolume" | "volumeConnector";

/** What a host was told, in order. */
function scene({ defined = true, initiator = "iqn.x:h" as string | null } = {}) {
  const log: string[] = [];
  const note =
    (what: string) =>
    async (_ctx: unknown, uuid: string, ...more: readonly unknown[]): Promise<void> => {
      const words = more
        .filter((one) => typeof one !== "function")
        .map((one) => (typeof one === "object" ? (one as { volumeId: string }).volumeId : String(one)));
      log.push([what, uuid, ...words].join(" "));
    };
  const host = {
    driver: {
      inspect: async () => (defined ? {} : undefined),
      attachVolume: note("attach"),
      detachVolume: note("detach"),
      extendVolume: note("extend"),
      swapVolume: note("swap"),
      renameVolume: note("rename"),
      volumeConnector: async () => ({ host: "h", ip: "192.0.2.1", initiator: initiator ?? undefined }),
    },
    volumeOf: guestVolume,
    powerState: async () => PowerState.POWER_STATE_RUNNING,
  } as unknown as CommandHost<Methods>;
  const call = { ctx: rootCtx({ requestId: "req-volume" }), serverId: "s", host, tell: () => {} };
  return { log, call };
}

const device = BlockDeviceRecord.fromPartial({
  volumeId: "new",
  connectionInfo: JSON.stringify({ driver_volume_type: "nbd", unix: "/v.sock", export: "e" }),
});

describe("commands about volumes", () => {
  it("do each what the driver is for, and tell the power state", async () => {
    const { log, call } = scene();
    const answers = [
      await attachVolume.run(call, { device }),
      await detachVolume.run(call, { volumeId: "v" }),
      await extendVolume.run(call, { volumeId: "v", sizeBytes: 5n * 1024n ** 3n }),
      await swapVolume.run(call, { volumeId: "old", device }),
      await renameVolume.run(call, { volumeId: "new", newVolumeId: "old" }),
    ];
    assert.deepEqual(log, [
      "attach s new",
      "detach s v",
      "extend s v 5368709120",
      "swap s old new",
      "rename s new old",
    ]);
    assert.ok(answers.every(({ powerState }) => powerState === PowerState.POWER_STATE_RUNNING));
  });

  it("have nothing to take out of a guest that is not there", async () => {
    const { log, call } = scene({ defined: false });
    await detachVolume.run(call, { volumeId: "v" });
    assert.deepEqual(log, []);
  });

  it("name the field that is missing, and reach the driver with no connection that nobody can read", async () => {
    const { log, call } = scene();
    const invalid = { reason: "INVALID_ARGUMENT" };
    await assert.rejects(attachVolume.run(call, AttachVolumeInput.fromPartial({})), invalid);
    await assert.rejects(swapVolume.run(call, SwapVolumeInput.fromPartial({ volumeId: "old" })), invalid);
    const unreadable = BlockDeviceRecord.fromPartial({ volumeId: "new", connectionInfo: "{" });
    await assert.rejects(attachVolume.run(call, { device: unreadable }), invalid);
    assert.deepEqual(log, []);
  });

  it("say who connects, without an initiator where there is none", async () => {
    const said = async ({ call }: ReturnType<typeof scene>): Promise<unknown> =>
      JSON.parse((await describeConnector.run(call, {})).connector) as unknown;
    const usual = {
      host: "h",
      ip: "192.0.2.1",
      platform: process.arch === "arm64" ? "aarch64" : "x86_64",
      os_type: "linux",
      multipath: false,
      do_local_attach: false,
    };
    assert.deepEqual(await said(scene()), { ...usual, initiator: "iqn.x:h" });
    assert.deepEqual(await said(scene({ initiator: null })), usual);
  });
});
