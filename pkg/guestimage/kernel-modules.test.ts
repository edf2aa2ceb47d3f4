import assert from "node:assert/strict";
import { loadOrder, moduleDependencies } from "./kernel-modules.js";

describe("guest image: kernel modules", () => {
  it("reads a module's dependencies from its .modinfo section", () => {
    const image = Buffer.from("\x7fELF…\0license=GPL\0depends=virtio_ring,virtio\0retpoline=Y\0", "latin1");
    assert.deepEqual(moduleDependencies(image), ["virtio_ring", "virtio"]);
    assert.deepEqual(moduleDependencies(Buffer.from("\0depends=\0", "latin1")), []);
    assert.deepEqual(moduleDependencies(Buffer.from("no such entry", "latin1")), []);
  });

  it("puts each module after all it depends on, once, and leaves out what is built in", () => {
    const table: Record<string, string[]> = {
      virtio_net: ["virtio", "net_failover"],
      net_failover: ["failover"],
      failover: [],
      virtio: ["virtio_ring"],
      virtio_ring: [],
    };
    const order = loadOrder(["virtio-net", "ext4", "virtio"], (name) => table[name]);
    assert.deepEqual(order, ["virtio_ring", "virtio", "failover", "net_failover", "virtio_net"]);
  });
});
