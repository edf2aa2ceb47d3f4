import type { RegisterHostResponse } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { ComputeNode, HostService, HostTelemetry } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import { version } from "../../platform/service/index.js";
import { capabilitiesOf } from "../capabilities.js";
import type { Driver, HostInventory } from "../driver.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

export interface RegistrationDeps {
  readonly host: string;
  readonly cell: string;
  readonly zone: string;
  /** Where conductors reach this agent. */
  readonly address: string;
  readonly driver: Driver;
  readonly cells: Pick<Client<typeof HostsServiceDefinition>, "registerHost" | "reportHost">;
  readonly reserved: { readonly vcpus: number; readonly memoryMib: number; readonly diskGib: number };
  readonly ratios: { readonly cpu: number; readonly memory: number; readonly disk: number };
}

/**
 * Every so many audits a host registers although nothing has changed: what others did to its provider in
 * placement is put right then. With the default audit that is five minutes, as in Nova.
 */
const AUDITS_PER_REGISTRATION = 5;

/** What was registered, and what the cell answered. */
interface Registered {
  readonly node: Uint8Array;
  readonly answer: RegisterHostResponse;
}

/**
 * Announces the host to its cell, at start and whenever something of it has changed; in between only shows
 * that it lives. Remembers the epoch that was minted for this process.
 */
export class Registration {
  readonly #deps: RegistrationDeps;
  #epoch = 0n;
  #registered: Registered | undefined;
  #audits = 0;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  get epoch(): bigint {
    return this.#epoch;
  }

  /** @throws STALE_EPOCH when another process speaks for this host now: the agent must end */
  async audit(ctx: Ctx): Promise<void> {
    const { driver } = this.#deps;
    const [inventory, telemetry] = await Promise.all([driver.inventory(ctx), driver.telemetry(ctx)]);
    const node = this.#node(inventory);
    const told = HostTelemetry.fromPartial({
      uptime: telemetry.uptime,
      diskFreeGib: BigInt(telemetry.diskFreeGib),
    });
    if (await this.#stands(ctx, node, told)) return;
    await this.#register(ctx, node, told);
  }

  /** Whether what was registered is still so, here and in the cell, which then has the telemetry. */
  async #stands(ctx: Ctx, node: ComputeNode, telemetry: HostTelemetry): Promise<boolean> {
    const registered = this.#registered;
    if (registered === undefined || ++this.#audits >= AUDITS_PER_REGISTRATION) return false;
    if (!Buffer.from(ComputeNode.encode(node).finish()).equals(registered.node)) return false;
    const { cell, host, cells } = this.#deps;
    try {
      const { serviceGeneration } = await cells.reportHost(ctx, {
        cell,
        host,
        epoch: this.#epoch,
        telemetry,
      });
      return serviceGeneration === registered.answer.serviceGeneration;
    } catch (error) {
      // A cell of the version before knows only whole registrations.
      if (error instanceof KilonovaError && error.kind === "unsupported") return false;
      throw error;
    }
  }

  async #register(ctx: Ctx, node: ComputeNode, telemetry: HostTelemetry): Promise<void> {
    const { host, cell, zone, address, cells } = this.#deps;
    // Until it has succeeded, placement included, nothing stands.
    this.#registered = undefined;
    const answer = await cells.registerHost(ctx, {
      cell,
      epoch: this.#epoch,
      service: HostService.fromPartial({ binary: COMPUTE_BINARY, host, availabilityZone: zone, address }),
      node,
      telemetry,
    });
    this.#epoch = answer.epoch;
    this.#registered = { node: ComputeNode.encode(node).finish(), answer };
    this.#audits = 0;
  }

  #node(inventory: HostInventory): ComputeNode {
    const { host, driver, reserved, ratios } = this.#deps;
    return ComputeNode.fromPartial({
      host,
      driver: driver.name,
      capabilities: capabilitiesOf(driver),
      agentVersion: version(),
      guestIsolation: driver.guestIsolation?.() ?? "",
      hypervisorHostname: inventory.hypervisorHostname,
      hypervisorType: inventory.hypervisorType,
      hypervisorVersion: inventory.hypervisorVersion,
      hostIp: inventory.hostIp,
      cpuInfoJson: inventory.cpuInfo,
      vcpus: inventory.vcpus,
      memoryMib: BigInt(inventory.memoryMib),
      diskGib: BigInt(inventory.diskGib),
      reservedVcpus: reserved.vcpus,
      reservedMemoryMib: Math.min(reserved.memoryMib, inventory.memoryMib),
      reservedDiskGib: reserved.diskGib,
      cpuAllocationRatio: ratios.cpu,
      memoryAllocationRatio: ratios.memory,
      diskAllocationRatio: ratios.disk,
      traits: [...inventory.traits, "COMPUTE_NODE", "OWNER_NOVA"],
      supportedInstancesJson: JSON.stringify(inventory.supportedInstances),
    });
  }
}
