/**
 * Extra specs that OpenStack knows, one per line: name, type, and what its values must be. `{num}` is a
 * number, `{any}` any text. Patterns mean what Nova's mean, in a form that no value can make slow.
 * @source Nova's extra spec validators
 */
export const knownSpecs = String.raw`
accel:device_profile str
aggregate_instance_extra_specs:{any} str
hw:cpu_realtime bool
hw:cpu_realtime_mask str pattern=\^?\d+(-\d+|,\^?\d+)*
hw:hide_hypervisor_id bool
hw:cpu_policy str enum=dedicated|shared|mixed
hw:cpu_thread_policy str enum=prefer|isolate|require
hw:emulator_threads_policy str enum=isolate|share
hw:cpu_dedicated_mask str pattern=\^?\d+(-\d+|,\^?\d+)*
hw:mem_page_size str pattern=(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)
hw:locked_memory bool
hw:numa_nodes int min=1
hw:numa_cpus.{num} str pattern=\^?\d+(-\d+|,\^?\d+)*
hw:numa_mem.{num} int min=1
hw:pci_numa_affinity_policy str enum=required|preferred|legacy|socket
hw:cpu_sockets int min=1
hw:cpu_cores int min=1
hw:cpu_threads int min=1
hw:cpu_max_sockets int min=1
hw:cpu_max_cores int min=1
hw:cpu_max_threads int min=1
hw:boot_menu bool
hw:vif_multiqueue_enabled bool
hw:mem_encryption bool
hw:mem_encryption_model str enum=amd-sev|amd-sev-es|amd-sev-snp
hw:pmem str pattern=[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*,?
hw:pmu bool
hw:serial_port_count int min=0
hw:tpm_model str enum=tpm-tis|tpm-crb
hw:tpm_version str enum=1.2|2.0
hw:tpm_secret_security str enum=user|host|deployment
hw:watchdog_action str enum=none|pause|poweroff|reset|disabled
hw:viommu_model str enum=intel|smmuv3|virtio|auto
hw:virtio_packed_ring bool
hw:sound_model str enum=sb16|es1370|pcspk|ac97|ich6|ich9|usb|virtio
hw:usb_model str enum=none|nec-xhci|qemu-xhci
hw:redirected_usb_ports int min=0 max=15
hw:ephemeral_encryption bool
hw:ephemeral_encryption_format str enum=plain|luks|luksv2
hw_rng:allowed bool
hw_rng:rate_bytes int min=0
hw_rng:rate_period int min=0
hw_video:ram_max_mb int min=0
hide_hypervisor_id bool
group_policy str enum=isolate|none
os:secure_boot str enum=disabled|required
pci_passthrough:alias str pattern=[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*
quota:cpu_limit int min=0
quota:cpu_reservation int
quota:cpu_shares_level str enum=custom|high|normal|low
quota:cpu_shares_share int min=0
quota:memory_limit int min=0
quota:memory_reservation int
quota:memory_shares_level str enum=custom|high|normal|low
quota:memory_shares_share int min=0
quota:disk_io_limit int min=0
quota:disk_io_reservation int
quota:disk_io_shares_level str enum=custom|high|normal|low
quota:disk_io_shares_share int min=0
quota:vif_limit int min=0
quota:vif_reservation int
quota:vif_shares_level str enum=custom|high|normal|low
quota:vif_shares_share int min=0
quota:cpu_shares int min=0
quota:cpu_period int min=0
quota:cpu_quota int
quota:disk_read_bytes_sec int min=0
quota:disk_read_iops_sec int min=0
quota:disk_write_bytes_sec int min=0
quota:disk_write_iops_sec int min=0
quota:disk_total_bytes_sec int min=0
quota:disk_total_iops_sec int min=0
quota:vif_inbound_average int min=0
quota:vif_inbound_peak int min=0
quota:vif_inbound_burst int min=0
quota:vif_outbound_average int min=0
quota:vif_outbound_peak int min=0
quota:vif_outbound_burst int min=0
vmware:hw_version str
vmware:storage_policy str
`;

/** Facts of hosts that the capabilities filter can compare; those with a star have parts of their own. */
export const knownCapabilities = `
id uuid service_id host vcpus memory_mb local_gb vcpus_used memory_mb_used local_gb_used hypervisor_type hypervisor_version hypervisor_hostname
free_ram_mb free_disk_gb current_workload running_vms disk_available_least host_ip mapped cpu_allocation_ratio ram_allocation_ratio
disk_allocation_ratio total_usable_ram_mb total_usable_disk_gb disk_mb_used free_disk_mb vcpus_total num_instances num_io_ops failed_builds aggregates
cell_uuid updated cpu_info* metrics* stats* numa_topology* supported_hv_specs* pci_device_pools* nodename* pci_stats* supported_instances* limits*
instances*
`;

/** Resource classes of Placement. @source os-resource-classes */
export const knownResourceClasses = `
VCPU MEMORY_MB DISK_GB PCI_DEVICE SRIOV_NET_VF NUMA_SOCKET NUMA_CORE NUMA_THREAD NUMA_MEMORY_MB IPV4_ADDRESS VGPU VGPU_DISPLAY_HEAD
NET_BW_EGR_KILOBIT_PER_SEC NET_BW_IGR_KILOBIT_PER_SEC PCPU MEM_ENCRYPTION_CONTEXT FPGA PGPU NET_PACKET_RATE_KILOPACKET_PER_SEC
NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC
`;
