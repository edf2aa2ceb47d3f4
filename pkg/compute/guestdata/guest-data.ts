/**
 * Everything that a guest may learn about itself, in our own words. One value feeds both ways of telling it:
 * the config drive (`configDriveFiles`) and the metadata service (`buildMetadataTree`).
 */
export interface GuestData {
  readonly uuid: string;
  /** Host part only, e.g. `web-1`. */
  readonly hostname: string;
  /** Appended to the host name (`[api]dhcp_domain`, usually `novalocal`); "" leaves the name bare. */
  readonly domain: string;
  /** The display name, any text. */
  readonly name: string;
  readonly projectId: string;
  /** Position within a multi-create, from 0. */
  readonly launchIndex: number;
  readonly availabilityZone: string;
  readonly keys: readonly GuestKey[];
  /** The user's server metadata. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Told through the config drive only, never over the network. */
  readonly adminPass?: string;
  /** Raw bytes, already decoded from base64. */
  readonly userData?: Uint8Array;
  /** Injected files, in the order of the request. */
  readonly files?: readonly GuestFile[];
  readonly networks: readonly GuestNetwork[];
  readonly securityGroups: readonly string[];
  readonly reservationId: string;
  /** Flavor name. */
  readonly instanceType: string;
  readonly ec2Ids: Ec2Ids;
  /**
   * EC2's `block-device-mapping`: `ami` → `vda`, `root` → `/dev/vda`, `ephemeral0`, `swap`, `ebs0` …;
   * optional.
   */
  readonly blockDeviceMapping?: ReadonlyMap<string, string>;
  /** First floating IPv4 address; optional. */
  readonly floatingIp?: string;
  /** Devices that carry a user's tag. */
  readonly devices?: readonly GuestDevice[];
  /** Host CPUs pinned to this guest, as the guest's own CPU numbers. */
  readonly dedicatedCpus?: readonly number[];
  /**
   * The operator's static JSON document (`vendor_data.json`; also under `static` of `vendor_data2.json`);
   * unset when that provider is off.
   */
  readonly vendorData?: JsonValue;
  /** Answers of dynamic vendor data targets by target name. */
  readonly dynamicVendorData?: ReadonlyMap<string, JsonValue>;
  /** The password blob that the guest posted (encrypted to the user's key), or nothing yet. */
  readonly password?: string;
}

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export interface GuestKey {
  readonly name: string;
  readonly type: "ssh" | "x509";
  readonly data: string;
}

/** A file injected at boot; `path` is where the guest should put it. */
export interface GuestFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/** One network interface with the subnets it has addresses of. */
export interface GuestNetwork {
  readonly portId: string;
  readonly networkId: string;
  readonly mac: string;
  /** Bytes; undefined when the network does not say. */
  readonly mtu?: number;
  /** Neutron's vif type as users know it (`ovs`, `bridge`, `vhostuser` …); others are shown as `phy`. */
  readonly vifType?: string;
  /** The host's name of the link, e.g. `tap0a1b2c3d-4e`; `tap` + 11 characters of the port when unset. */
  readonly deviceName?: string;
  readonly subnets: readonly GuestSubnet[];
}

export interface GuestSubnet {
  readonly subnetId: string;
  readonly version: 4 | 6;
  readonly ip: string;
  /** Prefix length, e.g. 24. */
  readonly prefix: number;
  /** Whether a DHCP server answers on this subnet; then the guest is told to ask it. */
  readonly dhcp: boolean;
  /** IPv6 only: how addresses are made known; static when unset. */
  readonly ipv6AddressMode?: "slaac" | "dhcpv6-stateful" | "dhcpv6-stateless";
  readonly gateway?: string;
  readonly dns: readonly string[];
  readonly routes: readonly { readonly destination: string; readonly nextHop: string }[];
}

/** Identifiers in EC2's form, `<prefix>-<8 hex digits>`; see `ec2IdsFor`. */
export interface Ec2Ids {
  readonly instanceId: string;
  readonly imageId: string;
  readonly kernelId?: string;
  readonly ramdiskId?: string;
}

/** A tagged device as meta_data.json shows it. */
export interface GuestDevice {
  readonly type: "nic" | "disk" | "share";
  readonly bus: "pci" | "usb" | "scsi" | "ide" | "xen" | "none";
  /** On the bus, e.g. `0000:00:02.0`; `none` when not known. */
  readonly address: string;
  readonly tags: readonly string[];
  /** NICs only. */
  readonly mac?: string;
  /** Disks only. */
  readonly serial?: string;
  /** Disks only: device path. */
  readonly path?: string;
  /** Shares only. */
  readonly shareId?: string;
  /** Shares only: the tag by which the guest mounts it. */
  readonly mountTag?: string;
  /** NICs only (direct ports). */
  readonly vlan?: number;
  /** NICs only; false when unset. */
  readonly vfTrusted?: boolean;
}
