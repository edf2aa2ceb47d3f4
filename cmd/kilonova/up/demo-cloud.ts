import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { HostCapacity } from "../../../pkg/compute/index.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import type { Client } from "../../../pkg/platform/rpc/index.js";

export interface DemoFlavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly rootGib: number;
}

export const demoFlavors: readonly DemoFlavor[] = [
  { id: "1", name: "m1.nano", vcpus: 1, memoryMib: 96, rootGib: 1 },
  { id: "2", name: "m1.tiny", vcpus: 1, memoryMib: 128, rootGib: 1 },
  { id: "3", name: "m1.small", vcpus: 1, memoryMib: 512, rootGib: 5 },
  { id: "4", name: "m1.medium", vcpus: 2, memoryMib: 2048, rootGib: 20 },
];

/**
 * Those that a host can carry: a flavor with which no server can ever boot is not offered. Overcommit does
 * not help here, since one server cannot have more than the whole host.
 */
export const flavorsThatFit = (host: HostCapacity): readonly DemoFlavor[] =>
  demoFlavors.filter(
    ({ vcpus, memoryMib, rootGib }) =>
      vcpus <= host.vcpus && memoryMib <= host.memoryMib && rootGib <= host.diskGib,
  );

/** Makes the demo flavors that are not there and fit on a host; an operator's changes stay. */
export async function seedFlavors(
  ctx: Ctx,
  cells: Client<typeof GlobalServiceDefinition>,
  host: HostCapacity,
): Promise<void> {
  await Promise.all(
    flavorsThatFit(host).map((size) =>
      cells.createStoredFlavor(ctx, {
        ifAbsent: true,
        flavor: Flavor.fromPartial({ ...size, isPublic: true, rxtxFactor: 1 }),
      }),
    ),
  );
}
