/**
 * The image properties that have a type: what each may say, in which canonical form it is kept, and under
 * which older names it is still written. Declared once; the api checks images by it before it accepts a
 * server, and whoever reads properties later (scheduler, conductor, agents) reads them through it.
 * @source nova ImageMetaProps and its field types; `os_shutdown_timeout` from its compute manager
 */

/** How one property's text is read. */
export interface PropertyType {
  /** What is wanted, for error messages. */
  readonly wanted: string;
  /** The canonical text; undefined for one that is not valid. */
  read(text: string): string | undefined;
  /**
   * What a property names when it names a thing by id. `image`: resolved with the caller's rights when the
   * server is accepted. `devices`: ids inside of a list. `secret`: kept as text, nothing ever fetches it.
   */
  readonly names?: "image" | "devices" | "secret";
}

const text: PropertyType = { wanted: "a text", read: (value) => value };

/** Anything goes, as in Nova: what does not say yes means no. */
const flag: PropertyType = {
  wanted: "true or false",
  read: (value) => String(["true", "t", "1", "yes", "y", "on"].includes(value.trim().toLowerCase())),
};

const integer = (min = -Infinity): PropertyType => ({
  wanted: min === 0 ? "a number that is not negative" : "a whole number",
  read: (value) => {
    const number = /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : NaN;
    return number >= min ? String(number) : undefined;
  },
});

const oneOf = (...values: readonly string[]): PropertyType => ({
  wanted: `one of ${values.join(", ")}`,
  read: (value) => (values.includes(value) ? value : undefined),
});

/** In any case, and with other spellings of some values. */
const anyCase = (
  values: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): PropertyType => ({
  wanted: `one of ${values.join(", ")}`,
  read: (value) => {
    const lower = value.toLowerCase();
    const meant = Object.hasOwn(aliases, lower) ? aliases[lower] : lower;
    return meant !== undefined && values.includes(meant) ? meant : undefined;
  },
});

const architecture = anyCase(
  (
    "alpha armv6 armv7l armv7b aarch64 cris i686 ia64 lm32 m68k microblaze microblazeel mips mipsel mips64 " +
    "mips64el openrisc parisc parisc64 ppc ppcle ppc64 ppc64le ppcemb s390 s390x sh4 sh4eb sparc sparc64 " +
    "unicore32 x86_64 xtensa xtensaeb"
  ).split(" "),
  { i386: "i686", i486: "i686", i586: "i686", x86_32: "i686", x86_32p: "i686", amd64: "x86_64" },
);

/** `pv` and `hv` were once written for what is now `xen` and `hvm`. */
const vmMode = anyCase(["hvm", "xen", "uml", "exe"], { pv: "xen", hv: "hvm", baremetal: "hvm" });

const hypervisorType = anyCase(
  (
    "baremetal bhyve docker fake hyperv ironic kqemu kvm lxc lxd openvz parallels vz phyp qemu test uml vbox " +
    "vmware xen zvm prsm"
  ).split(" "),
  { xapi: "xen" },
);

const nicModel = anyCase(
  "virtio ne2k_pci pcnet rtl8139 e1000 e1000e netfront spapr-vlan lan9118 igb sriov vmxnet vmxnet3".split(
    " ",
  ),
  {
    virtuale1000: "e1000",
    virtuale1000e: "e1000e",
    virtualpcnet32: "pcnet",
    virtualsriovethernetcard: "sriov",
    virtualvmxnet: "vmxnet",
    virtualvmxnet3: "vmxnet3",
  },
);

const scsiModel = anyCase(
  ["buslogic", "ibmvscsi", "lsilogic", "lsisas1068", "lsisas1078", "virtio-scsi", "vmpvscsi"],
  { lsilogicsas: "lsisas1068", paravirtual: "vmpvscsi" },
);

const diskBus = oneOf("fdc", "ide", "sata", "scsi", "usb", "virtio", "xen", "lxc", "uml");

const versionRange: PropertyType = {
  wanted: "version conditions such as '>=7.0,<9'",
  read: (value) =>
    value.split(",").every((part) => /^\s*(<=|>=|<|>|!=|==)\s*\d+(\.\d+)*\s*$/.test(part))
      ? value
      : undefined,
};

const uuid: PropertyType = {
  wanted: "a UUID",
  read: (value) =>
    /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(value.trim())
      ? value.trim().toLowerCase()
      : undefined,
};
const secret: PropertyType = { ...uuid, names: "secret" };
const image: PropertyType = { ...text, names: "image" };

const listOfObjects: PropertyType = {
  wanted: "a JSON list of objects",
  read: (value) => {
    try {
      const list: unknown = value === "" ? [] : JSON.parse(value);
      const isObject = (one: unknown): boolean =>
        typeof one === "object" && one !== null && !Array.isArray(one);
      return Array.isArray(list) && list.every(isObject) ? value : undefined;
    } catch {
      return undefined;
    }
  },
};

/** `0-3,^2` and the like. */
const cpuSet: PropertyType = {
  wanted: "CPU numbers such as '0-3,^2'",
  read: (value) =>
    value.split(",").every((part) => /^\s*(\^?\d{1,5}|\d{1,5}\s*-\s*\d{1,5})?\s*$/.test(part))
      ? value
      : undefined,
};

const TYPES: ReadonlyMap<string, PropertyType> = new Map(
  Object.entries({
    kernel_id: image,
    ramdisk_id: image,

    hw_architecture: architecture,
    hw_auto_disk_config: text,
    hw_boot_menu: flag,
    hw_cdrom_bus: diskBus,
    hw_cpu_cores: integer(),
    hw_cpu_max_cores: integer(),
    hw_cpu_max_sockets: integer(),
    hw_cpu_max_threads: integer(),
    hw_cpu_policy: oneOf("dedicated", "shared", "mixed"),
    hw_cpu_realtime_mask: text,
    hw_cpu_sockets: integer(),
    hw_cpu_thread_policy: oneOf("prefer", "isolate", "require"),
    hw_cpu_threads: integer(),
    hw_device_id: integer(),
    hw_disk_bus: diskBus,
    hw_disk_type: text,
    hw_emulation_architecture: architecture,
    hw_ephemeral_encryption: flag,
    hw_ephemeral_encryption_format: oneOf("plain", "luks", "luksv2"),
    hw_ephemeral_encryption_secret_uuid: secret,
    hw_firmware_stateless: flag,
    hw_firmware_type: oneOf("uefi", "bios"),
    hw_floppy_bus: diskBus,
    hw_input_bus: oneOf("usb", "virtio"),
    hw_ipxe_boot: flag,
    hw_locked_memory: flag,
    hw_machine_type: text,
    hw_maxphysaddr_bits: integer(),
    hw_maxphysaddr_mode: oneOf("passthrough", "emulate"),
    hw_mem_encryption: flag,
    hw_mem_encryption_model: oneOf("amd-sev", "amd-sev-es", "amd-sev-snp"),
    hw_mem_page_size: text,
    hw_numa_nodes: integer(),
    hw_pci_numa_affinity_policy: oneOf("required", "legacy", "preferred", "socket"),
    hw_pmu: flag,
    hw_pointer_model: oneOf("usbtablet"),
    hw_qemu_guest_agent: flag,
    hw_redirected_usb_ports: integer(),
    hw_rescue_bus: diskBus,
    hw_rescue_device: oneOf("cdrom", "disk", "floppy", "fs", "lun"),
    hw_rng_model: oneOf("virtio"),
    hw_scsi_model: scsiModel,
    hw_serial_port_count: integer(),
    hw_sound_model: oneOf("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio"),
    hw_time_hpet: flag,
    hw_tpm_model: oneOf("tpm-tis", "tpm-crb"),
    hw_tpm_version: oneOf("1.2", "2.0"),
    hw_usb_model: oneOf("none", "nec-xhci", "qemu-xhci"),
    hw_video_model: oneOf("cirrus", "qxl", "vga", "vmvga", "xen", "virtio", "gop", "none", "bochs"),
    hw_video_ram: integer(),
    hw_vif_model: nicModel,
    hw_vif_multiqueue_enabled: flag,
    hw_viommu_model: oneOf("intel", "smmuv3", "virtio", "auto"),
    hw_virtio_packed_ring: flag,
    hw_vm_mode: vmMode,
    hw_watchdog_action: oneOf("none", "pause", "poweroff", "reset", "disabled"),

    img_bdm_v2: flag,
    img_bittorrent: flag,
    img_block_device_mapping: { ...listOfObjects, names: "devices" },
    img_cache_in_nova: flag,
    img_compression_level: integer(),
    img_config_drive: oneOf("optional", "mandatory"),
    img_hide_hypervisor_id: flag,
    img_hv_requested_version: versionRange,
    img_hv_type: hypervisorType,
    img_linked_clone: flag,
    img_mappings: listOfObjects,
    img_owner_id: text,
    img_root_device_name: text,
    img_signature: text,
    img_signature_certificate_uuid: secret,
    img_signature_hash_method: oneOf("SHA-224", "SHA-256", "SHA-384", "SHA-512"),
    img_signature_key_type: oneOf(
      "DSA",
      "ECC_SECP384R1",
      "ECC_SECP521R1",
      "ECC_SECT409K1",
      "ECC_SECT409R1",
      "ECC_SECT571K1",
      "ECC_SECT571R1",
      "RSA-PSS",
    ),
    img_use_agent: flag,
    img_version: integer(),

    os_admin_user: text,
    os_command_line: text,
    os_distro: text,
    os_require_quiesce: flag,
    os_secure_boot: oneOf("required", "disabled", "optional"),
    os_shutdown_timeout: integer(0),
    os_skip_agent_inject_files_at_boot: flag,
    os_skip_agent_inject_ssh: flag,
    os_type: anyCase(["linux", "windows"]),
  } satisfies Record<string, PropertyType>),
);

/** Older names; the present one counts where both are given. */
const SUCCESSORS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    architecture: "hw_architecture",
    auto_disk_config: "hw_auto_disk_config",
    bdm_v2: "img_bdm_v2",
    bittorrent: "img_bittorrent",
    block_device_mapping: "img_block_device_mapping",
    cache_in_nova: "img_cache_in_nova",
    hypervisor_type: "img_hv_type",
    hypervisor_version_requires: "img_hv_requested_version",
    ipxe_boot: "hw_ipxe_boot",
    mappings: "img_mappings",
    owner_id: "img_owner_id",
    root_device_name: "img_root_device_name",
    vm_mode: "hw_vm_mode",
    vmware_disktype: "hw_disk_type",
    vmware_image_version: "img_version",
    vmware_linked_clone: "img_linked_clone",
    vmware_ostype: "os_distro",
    xenapi_device_id: "hw_device_id",
    xenapi_image_compression_level: "img_compression_level",
    xenapi_skip_agent_inject_files_at_boot: "os_skip_agent_inject_files_at_boot",
    xenapi_skip_agent_inject_ssh: "os_skip_agent_inject_ssh",
    xenapi_use_agent: "img_use_agent",
  }),
);

const NUMA = /^hw_numa_(cpus|mem)\.\d{1,3}$/;
const TRAIT = /^trait:/;

/** All properties that have a type, by their present names. */
export const typedImageProperties: ReadonlyMap<string, PropertyType> = TYPES;

/** The present names of older ones. */
export const legacyImageProperties: ReadonlyMap<string, string> = SUCCESSORS;

/** A property that does not say what its type wants. */
export interface BadProperty {
  /** As the image has it, an older name included. */
  readonly name: string;
  readonly value: string;
  readonly wanted: string;
}

/** Properties as everybody is to read them. */
export interface ReadProperties {
  /** Present names only, typed ones in canonical form; what is bad stays as it is. */
  readonly properties: ReadonlyMap<string, string>;
  readonly bad: readonly BadProperty[];
}

/** Reads an image's properties. Reading again what was read changes nothing. */
export function readImageProperties(raw: ReadonlyMap<string, string>): ReadProperties {
  const properties = new Map<string, string>();
  const bad: BadProperty[] = [];
  const put = (name: string, value: string, as = name): void => {
    const type = typeOf(name);
    const read = type === undefined ? value : type.read(value);
    if (type !== undefined && read === undefined) bad.push({ name: as, value, wanted: type.wanted });
    properties.set(name, read ?? value);
  };
  for (const [name, value] of raw) {
    const successor = SUCCESSORS.get(name);
    if (successor !== undefined) put(successor, value, name);
  }
  const adapter = raw.get("vmware_adaptertype") ?? "";
  if (adapter !== "") put("hw_disk_bus", adapter === "ide" ? "ide" : "scsi", "vmware_adaptertype");
  if (adapter !== "" && adapter !== "ide") put("hw_scsi_model", adapter, "vmware_adaptertype");
  for (const [name, value] of raw) {
    if (SUCCESSORS.has(name) || name === "vmware_adaptertype") continue;
    if (TRAIT.test(name) && !/^[A-Z][A-Z0-9_]{0,254}$/.test(name.replace(TRAIT, "")))
      bad.push({ name, value, wanted: "the name of a trait after the colon" });
    put(name, value);
  }
  return { properties, bad };
}

/** Properties as everybody is to read them, for those that were judged when the server was accepted. */
export const canonicalImageProperties = (raw: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  readImageProperties(raw).properties;

/** Whether an image asks for a channel to an agent inside its guests. */
export const hasGuestAgent = (properties: ReadonlyMap<string, string>): boolean =>
  canonicalImageProperties(properties).get("hw_qemu_guest_agent") === "true";

function typeOf(name: string): PropertyType | undefined {
  const numa = NUMA.exec(name);
  if (numa !== null) return numa[1] === "cpus" ? cpuSet : integer();
  return TYPES.get(name);
}

/** The architecture as everybody spells it; any other text in lower case. */
export const canonicalArchitecture = (name: string): string => architecture.read(name) ?? name.toLowerCase();

/** The VM mode as everybody spells it; any other text in lower case. */
export const canonicalVmMode = (name: string): string => vmMode.read(name) ?? name.toLowerCase();
