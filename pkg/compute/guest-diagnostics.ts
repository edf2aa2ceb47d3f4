/** What a hypervisor knows of a running guest. Absent is what it does not know. */
export interface GuestDiagnostics {
  /** The member of the driver names that clients know which fits best: they check it. */
  readonly driver: string;
  /** Such as `qemu` or `kvm`. */
  readonly hypervisor: string;
  readonly hypervisorOs: string;
  readonly uptimeSeconds?: number;
  readonly configDrive: boolean;
  readonly cpus: readonly CpuDiagnostics[];
  readonly nics: readonly NicDiagnostics[];
  readonly disks: readonly DiskDiagnostics[];
  readonly memoryMaximumMib?: number;
  readonly memoryUsedMib?: number;
}

export interface CpuDiagnostics {
  readonly id: number;
  readonly timeNs?: number;
  readonly utilisationPercent?: number;
}

/** Received and sent are the guest's words. */
export interface NicDiagnostics {
  readonly portId: string;
  readonly macAddress: string;
  readonly rxBytes?: number;
  readonly rxErrors?: number;
  readonly rxDropped?: number;
  readonly rxPackets?: number;
  readonly txBytes?: number;
  readonly txErrors?: number;
  readonly txDropped?: number;
  readonly txPackets?: number;
}

export interface DiskDiagnostics {
  readonly readBytes: number;
  readonly readRequests: number;
  readonly writeBytes: number;
  readonly writeRequests: number;
  readonly errors: number;
}
