import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { CellsTwin } from "../../cells/testing/twin/twin.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

type Init<T> = T extends { fromPartial(partial: infer P): unknown } ? P : never;

/** What a case wants otherwise of a host. */
export interface HostInit {
  readonly service?: Init<typeof HostService>;
  readonly node?: Init<typeof ComputeNode>;
}

/** Puts a QEMU host into a cell. @param id  of its node, which is its provider's in placement */
export function addHost(cells: CellsTwin, cell: string, id: string, host: string, init: HostInit = {}): void {
  cells.addHost(
    cell,
    HostService.fromPartial({
      id: `service-${host}`,
      binary: COMPUTE_BINARY,
      host,
      availabilityZone: "nova",
      address: `agent:${host}`,
      ...init.service,
    }),
    ComputeNode.fromPartial({
      id,
      host,
      hypervisorHostname: host,
      hypervisorType: "QEMU",
      hypervisorVersion: 7_002_000,
      supportedInstancesJson: `[["x86_64","qemu","hvm"]]`,
      cpuInfoJson: `{"arch":"x86_64","features":["sse","avx"]}`,
      ...init.node,
    }),
  );
}
