import type { HostInventory } from "../../driver.js";

/** A generous imaginary host: 64 VCPU, 256 GiB memory, 4 TiB disk, unless told otherwise. */
export function fakeInventory(hostname: string, over: Partial<HostInventory>): HostInventory {
  const vcpus = over.vcpus ?? 64;
  return {
    hypervisorType: "fake",
    hypervisorVersion: 1_000_000,
    hypervisorHostname: hostname,
    hostIp: "127.0.0.1",
    vcpus,
    memoryMib: 256 * 1024,
    diskGib: 4096,
    cpuInfo: JSON.stringify({
      arch: "x86_64",
      model: "Nehalem",
      vendor: "Intel",
      features: ["pge", "clflush"],
      topology: { cells: 1, sockets: 1, cores: vcpus, threads: 1 },
    }),
    supportedInstances: [["x86_64", "fake", "hvm"]],
    traits: [
      "COMPUTE_ARCH_X86_64",
      "COMPUTE_IMAGE_TYPE_QCOW2",
      "COMPUTE_IMAGE_TYPE_RAW",
      "COMPUTE_NET_ATTACH_INTERFACE",
      "COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG",
      "COMPUTE_NET_VIF_MODEL_VIRTIO",
      "COMPUTE_RESCUE_BFV",
      "COMPUTE_STORAGE_BUS_VIRTIO",
      "COMPUTE_VOLUME_ATTACH",
      "COMPUTE_VOLUME_ATTACH_WITH_TAG",
      "COMPUTE_VOLUME_EXTEND",
      "COMPUTE_VOLUME_MULTI_ATTACH",
      "HW_CPU_X86_SSE42",
    ],
    ...over,
  };
}
