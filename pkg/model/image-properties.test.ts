import assert from "node:assert/strict";
import {
  canonicalArchitecture,
  canonicalImageProperties,
  legacyImageProperties,
  readImageProperties,
  typedImageProperties,
} from "./image-properties.js";

const read = (properties: Record<string, string>) => {
  const { properties: told, bad } = readImageProperties(new Map(Object.entries(properties)));
  return { told: Object.fromEntries(told), bad: bad.map(({ name }) => name) };
};

describe("typed image properties", () => {
  const good: readonly (readonly [string, string, string])[] = [
    ["hw_architecture", "amd64", "x86_64"],
    ["hw_architecture", "i386", "i686"],
    ["hw_architecture", "X86_32", "i686"],
    ["architecture", "AARCH64", "aarch64"],
    ["vm_mode", "hv", "hvm"],
    ["hypervisor_type", "QEMU", "qemu"],
    ["hypervisor_version_requires", ">=7.0, <9", ">=7.0, <9"],
    ["hw_vif_model", "VirtualE1000", "e1000"],
    ["hw_scsi_model", "lsiLogicsas", "lsisas1068"],
    ["os_type", "Linux", "linux"],
    ["os_shutdown_timeout", " 60 ", "60"],
    ["hw_cpu_cores", "+2", "2"],
    ["os_require_quiesce", "Yes", "true"],
    ["os_require_quiesce", "certainly", "false"],
    ["hw_disk_bus", "scsi", "scsi"],
    ["hw_machine_type", "whatever", "whatever"],
    ["hw_numa_cpus.0", "0-3,^2", "0-3,^2"],
    ["hw_numa_mem.1", "512", "512"],
    ["trait:CUSTOM_GOLD", "required", "required"],
    ["mappings", `[{"virtual":"ami","device":"vda"}]`, `[{"virtual":"ami","device":"vda"}]`],
    ["hw_anything_new", "bogus", "bogus"],
    ["constructor", "x", "x"],
  ];
  for (const [name, value, canonical] of good)
    it(`reads ${name}=${value}`, () => {
      const { told, bad } = read({ [name]: value });
      assert.deepEqual([told[legacyImageProperties.get(name) ?? name], bad], [canonical, []]);
    });

  const refused: readonly (readonly [string, string])[] = [
    ["hw_architecture", "bogus"],
    ["architecture", ""],
    ["vm_mode", "paravirtual"],
    ["hypervisor_type", "bochs"],
    ["hypervisor_version_requires", "new"],
    ["hw_disk_bus", "bogus"],
    ["hw_disk_bus", "SCSI"],
    ["hw_cdrom_bus", "ata"],
    ["hw_video_model", "bogus"],
    ["hw_vif_model", "e1001"],
    ["hw_scsi_model", "bogus"],
    ["vmware_adaptertype", "bogus"],
    ["hw_firmware_type", "openboot"],
    ["hw_rng_model", "dice"],
    ["hw_watchdog_action", "bark"],
    ["hw_serial_port_count", "two"],
    ["hw_cpu_policy", "pinned"],
    ["hw_cpu_threads", "1.5"],
    ["hw_numa_cpus.0", "a-b"],
    ["hw_numa_mem.0", "much"],
    ["img_config_drive", "yes"],
    ["os_shutdown_timeout", "abc"],
    ["os_shutdown_timeout", "-1"],
    ["os_secure_boot", "true"],
    ["os_type", "beos"],
    ["trait:custom gold", "required"],
    ["block_device_mapping", "{}"],
    ["mappings", "[1]"],
    ["img_signature_certificate_uuid", "../../x"],
  ];
  for (const [name, value] of refused)
    it(`refuses ${name}=${value}`, () => {
      const { told, bad } = read({ [name]: value });
      assert.deepEqual(bad, [name]);
      if (name === "hw_disk_bus") assert.equal(told[name], value);
    });

  it("reads every older name as its present one, which exists and wins", () => {
    for (const [old, now] of legacyImageProperties) {
      assert.ok(typedImageProperties.has(now), now);
      assert.ok(!typedImageProperties.has(old), old);
    }
    assert.deepEqual(read({ hw_vm_mode: "hvm", vm_mode: "xen", owner_id: "p" }).told, {
      hw_vm_mode: "hvm",
      img_owner_id: "p",
    });
    assert.deepEqual(read({ vmware_adaptertype: "paraVirtual" }).told, {
      hw_disk_bus: "scsi",
      hw_scsi_model: "vmpvscsi",
    });
    assert.deepEqual(read({ vmware_adaptertype: "ide", hw_disk_bus: "sata" }).told, { hw_disk_bus: "sata" });
  });

  it("changes nothing when it reads again", () => {
    const once = canonicalImageProperties(
      new Map([...good, ...refused].map(([name, value]) => [name, value])),
    );
    assert.deepEqual(canonicalImageProperties(once), once);
  });

  it("spells a host's architecture as an image's", () => {
    assert.deepEqual(["AMD64", "x86_64", "riscv64"].map(canonicalArchitecture), [
      "x86_64",
      "x86_64",
      "riscv64",
    ]);
  });
});
