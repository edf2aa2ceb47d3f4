import assert from "node:assert/strict";
import { rootCtx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import type { StoredNic } from "./definition.js";
import type { HotGuest } from "./hot-device.js";
import { missingNics, plugNic, unplugNic } from "./hot-nic.js";
import type { QmpEvent } from "./qmp-client.js";

const nic: StoredNic = {
  portId: "p",
  macAddress: "fa:16:3e:00:00:01",
  mtu: 1450,
  model: "virtio",
  socketPath: "/run/k/port-p",
  device: "nic-p",
  slot: 3,
};
const ctx = rootCtx({ requestId: "req-hot" });
const patience = { detachAttempts: 3, detachTimeoutMs: 20 };

/** A monitor that knows devices and wires; `onDelete` plays the guest. */
function monitor(
  onDelete: (device: string, times: number) => "lets go" | "refuses" | "sleeps" = () => "lets go",
) {
  const devices = new Set<string>(["balloon0"]);
  const wires = new Set<string>();
  const listeners = new Set<(event: QmpEvent) => void>();
  const log: string[] = [];
  const hurry = new AbortController();
  let asked = 0;
  let refuseAdd = false;
  const refused = (command: string): Error => DriverErrors.COMMAND_REFUSED({ command, errorClass: "" });
  const tell = (event: QmpEvent): void => {
    for (const listener of listeners) listener(event);
  };
  let end = (): void => {};
  const guest: HotGuest = {
    instanceUuid: "u",
    hurried: hurry.signal,
    down: new Promise(() => {}),
    gone: new Promise((resolve) => {
      end = resolve;
    }),
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    execute: async (command, args = {}) => {
      const id = String(args["id"]);
      if (command === "qom-list") return [...devices].map((name) => ({ name, type: "child<x>" }));
      log.push(`${command} ${id}`);
      if (command === "netdev_add") wires.add(id);
      if (command === "netdev_del" && !wires.delete(id)) throw refused(command);
      if (command === "device_add") {
        if (refuseAdd) throw refused(command);
        devices.add(id);
      }
      if (command === "device_del") {
        const answer = onDelete(id, ++asked);
        if (answer === "refuses") tell({ event: "DEVICE_UNPLUG_GUEST_ERROR", data: { device: id } });
        if (answer === "lets go") {
          devices.delete(id);
          tell({ event: "DEVICE_DELETED", data: { device: id, path: "/x" } });
        }
      }
      return {};
    },
  };
  return {
    guest,
    devices,
    wires,
    log,
    listeners,
    end: () => end(),
    hurry: () => hurry.abort(),
    refuseAdd: () => {
      refuseAdd = true;
    },
  };
}
const makeSocket = async (make: (path: string) => Promise<void>): Promise<void> => make("/run/k/new/s");

describe("interfaces of a running QEMU guest", () => {
  it("are put in with their wire first, and once", async () => {
    const m = monitor();
    await plugNic(ctx, m.guest, nic, makeSocket);
    await plugNic(ctx, m.guest, nic, makeSocket);
    assert.deepEqual(m.log, ["netdev_del net-p", "netdev_add net-p", "device_add nic-p"]);
  });

  it("replace what an attempt that was cut short has left", async () => {
    const m = monitor();
    m.wires.add("net-p");
    await plugNic(ctx, m.guest, nic, makeSocket);
    assert.deepEqual([[...m.wires], m.devices.has("nic-p")], [["net-p"], true]);
  });

  it("leave no wire when QEMU refuses them", async () => {
    const m = monitor();
    m.refuseAdd();
    await assert.rejects(plugNic(ctx, m.guest, nic, makeSocket), { reason: "COMMAND_REFUSED" });
    assert.equal(m.wires.size, 0);
  });

  it("are taken out when the guest lets go of them; one that is not there is out", async () => {
    const m = monitor();
    await plugNic(ctx, m.guest, nic, makeSocket);
    await unplugNic(ctx, m.guest, nic.device, patience);
    assert.deepEqual([m.devices.has("nic-p"), m.wires.size, m.listeners.size], [false, 0, 0]);
    await unplugNic(ctx, m.guest, nic.device, patience);
  });

  it("are asked for again when the guest sleeps, so often and no longer", async () => {
    const m = monitor((_device, times) => (times === 3 ? "lets go" : "sleeps"));
    await plugNic(ctx, m.guest, nic, makeSocket);
    await unplugNic(ctx, m.guest, nic.device, patience);
    assert.equal(m.devices.has("nic-p"), false);
    const deaf = monitor(() => "sleeps");
    await plugNic(ctx, deaf.guest, nic, makeSocket);
    await assert.rejects(unplugNic(ctx, deaf.guest, nic.device, patience), {
      reason: "DEVICE_DETACH_FAILED",
    });
    assert.deepEqual(
      [deaf.devices.has("nic-p"), deaf.wires.has("net-p"), deaf.listeners.size],
      [true, true, 0],
    );
  });

  it("stay when the guest refuses", async () => {
    const m = monitor(() => "refuses");
    await plugNic(ctx, m.guest, nic, makeSocket);
    await assert.rejects(unplugNic(ctx, m.guest, nic.device, patience), { reason: "DEVICE_DETACH_FAILED" });
  });

  it("go with the guest", async () => {
    const m = monitor(() => {
      m.end();
      return "sleeps";
    });
    await plugNic(ctx, m.guest, nic, makeSocket);
    await unplugNic(ctx, m.guest, nic.device, { detachAttempts: 1, detachTimeoutMs: 60_000 });
  });

  it("are not waited for once somebody is in a hurry, or the command is to stop", async () => {
    const long = { detachAttempts: 1, detachTimeoutMs: 60_000 };
    const m = monitor(() => {
      m.hurry();
      return "sleeps";
    });
    await plugNic(ctx, m.guest, nic, makeSocket);
    await assert.rejects(unplugNic(ctx, m.guest, nic.device, long), { reason: "DEVICE_DETACH_FAILED" });
    const stop = new AbortController();
    const other = monitor(() => {
      stop.abort(new Error("stop"));
      return "sleeps";
    });
    await plugNic(ctx, other.guest, nic, makeSocket);
    const stopped = rootCtx({ requestId: "req-stop", signal: stop.signal });
    await assert.rejects(unplugNic(stopped, other.guest, nic.device, long), /stop/);
    assert.equal(other.listeners.size, 0);
  });

  it("are found missing by their ids", async () => {
    const m = monitor();
    const other = { ...nic, device: "nic-q" };
    await plugNic(ctx, m.guest, nic, makeSocket);
    assert.deepEqual(await missingNics(m.guest, [nic, other]), [other]);
  });
});
