import { z } from "zod";
import { driverNames, driverOptions, drivers } from "./drivers/index.js";
import { periodicOptions } from "./agent/periodic/options.js";
import { secret } from "../platform/config/index.js";

/** Options of compute agents. One process may carry several hosts. */
export const computeConfig = z
  .object({
    driver: z
      .enum(driverNames)
      .default("qemu")
      .describe(
        `Hypervisor driver: ${driverNames.map((name) => `\`${name}\` ${drivers[name].does}`).join(", ")}.`,
      ),
    hosts: z
      .array(z.string().min(1).max(255))
      .default([])
      .describe("Logical hosts of this process; empty makes `hostCount` of them, named after the machine."),
    hostCount: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(2)
      .describe("Number of hosts when `hosts` is empty."),
    cell: z.string().default("cell1").describe("Cell to which the hosts belong."),
    availabilityZone: z.string().default("nova").describe("Zone of the hosts."),
    ...driverOptions,
    ...periodicOptions,
    resumeGuestsStateOnHostBoot: z
      .boolean()
      .default(false)
      .describe(
        "Whether an agent that starts powers on guests that ran by their record; else their servers become SHUTOFF.",
      ),
    securityRefreshMs: z
      .number()
      .int()
      .min(200)
      .default(10_000)
      .describe(
        "How often policies of ports, and rules and members of security groups in use, are read again from a Network service that does not tell of changes (Neutron), in ms; each reading up to a fifth earlier or later.",
      ),
    reservedVcpus: z.number().int().min(0).default(0).describe("Virtual CPUs kept for the host."),
    reservedMemoryMib: z.number().int().min(0).default(512).describe("Memory kept for the host, in MiB."),
    reservedDiskGib: z.number().int().min(0).default(0).describe("Disk kept for the host, in GiB."),
    cpuAllocationRatio: z.number().min(0.1).default(4).describe("Overcommit of CPUs."),
    memoryAllocationRatio: z.number().min(0.1).default(1).describe("Overcommit of memory."),
    diskAllocationRatio: z.number().min(0.1).default(1).describe("Overcommit of disk."),
    dhcpDomain: z.string().default("novalocal").describe("DNS domain of guests; empty for none."),
    tunnelAddress: z
      .string()
      .default("127.0.0.1")
      .describe("Address on which the host's switch exchanges VXLAN packets with other hosts."),
    tunnelPort: z
      .number()
      .int()
      .min(0)
      .max(65535)
      .default(0)
      .describe("UDP port for VXLAN; 0 takes a free one, which the registry tells the others."),
    metadataCacheExpirationMs: z
      .number()
      .int()
      .min(0)
      .default(1000)
      .describe(
        "How long a guest may see old metadata after a change, in ms; 0 reads its record at each request.",
      ),
    metadataSharedSecret: secret(z.string().default("")).describe(
      "Secret that signs X-Instance-ID for metadata proxies; empty refuses them.",
    ),
  })
  .describe("Compute agents.");

export type ComputeConfig = z.output<typeof computeConfig>;
