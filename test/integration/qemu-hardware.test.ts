import assert from "node:assert/strict";
import { connect } from "node:net";
import { rootCtx } from "../../pkg/kernel/index.js";
import type { GuestHardware } from "../../pkg/compute/driver.js";
import { QmpClient } from "../../pkg/compute/drivers/qemu/qmp-client.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";

const ctx = rootCtx({ requestId: "req-hardware" });

/** QEMU itself accepts every piece of hardware that the driver claims to have, and boots from it. */
describe("QEMU driver: virtual hardware", function () {
  this.timeout(PATIENCE_MS);
  let host: QemuHost;
  before(async () => {
    host = await qemuHost();
  });
  after(() => host.dispose());

  const boots = async (hardware: GuestHardware, models: readonly string[]): Promise<string> => {
    const spec = await host.aSpec({ hardware, swapMib: 1 });
    const [nic] = spec.interfaces;
    assert.ok(nic);
    const interfaces = models.map((model, i) => ({
      ...nic,
      model,
      portId: `port-${i}`,
      macAddress: `fa:16:3e:00:01:0${i}`,
      socketPath: host.driver().interfaceSocketPath(spec.instanceUuid, `port-${i}`),
    }));
    await host.driver().define(ctx, { ...spec, interfaces });
    await host.driver().powerOn(ctx, spec.instanceUuid);
    await host.booted(spec.instanceUuid);
    return spec.instanceUuid;
  };

  for (const diskBus of ["virtio", "scsi", "sata", "usb"]) {
    it(`boots q35 from ${diskBus}`, async () => {
      await host.driver().remove(ctx, await boots({ diskBus }, []));
    });
  }
  for (const diskBus of ["virtio", "ide", "sata"]) {
    it(`boots the old PC from ${diskBus}`, async () => {
      await host.driver().remove(ctx, await boots({ machineType: "pc", diskBus }, ["virtio"]));
    });
  }

  for (const [property, hardware] of [
    ["hw_machine_type", { machineType: "pc-i440fx-0.0" }],
    ["hw_machine_type", { machineType: "pc-q35-99.9" }],
    ["hw_cpu_model", { cpuModel: "Nonesuch" }],
    ["hw_cpu_model", { cpuModel: "host" }],
    ["hw_disk_bus", { diskBus: "fdc" }],
  ] as const)
    it(`refuses ${JSON.stringify(hardware)} before anything is made, by the name of the property`, async () => {
      const spec = await host.aSpec({ hardware });
      await assert.rejects(host.driver().define(ctx, spec), {
        reason: "UNSUPPORTED_HARDWARE",
        message: new RegExp(`${property}=`),
      });
    });
  it("boots with another of the CPU models that QEMU lists", async () => {
    await host.driver().remove(ctx, await boots({ cpuModel: "qemu64" }, []));
  });

  it("has every NIC model, each listening for the switch, and again for a switch that comes back", async () => {
    const models = ["virtio", "e1000", "e1000e", "rtl8139", "pcnet", "ne2k_pci"];
    const uuid = await boots({}, models);
    const monitor = await QmpClient.connect(host.paths(uuid).operatorSocket, {
      greetingTimeoutMs: PATIENCE_MS,
    });
    for (const [i] of models.entries()) {
      for (const _ of [1, 2]) {
        const connected = new Promise<void>((resolve) => {
          monitor.onEvent((e) => {
            if (e.event === "NETDEV_STREAM_CONNECTED") resolve();
          });
        });
        const disconnected = new Promise<void>((resolve) => {
          monitor.onEvent((e) => {
            if (e.event === "NETDEV_STREAM_DISCONNECTED") resolve();
          });
        });
        const socket = connect(host.driver().interfaceSocketPath(uuid, `port-${i}`));
        await connected;
        socket.destroy();
        await disconnected;
      }
    }
    monitor.close();
    await host.driver().remove(ctx, uuid);
  });
});
