import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import type { Client } from "../../../pkg/platform/rpc/index.js";

const sizes = [
  { id: "1", name: "m1.nano", vcpus: 1, memoryMib: 96, rootGib: 1 },
  { id: "2", name: "m1.tiny", vcpus: 1, memoryMib: 128, rootGib: 1 },
  { id: "3", name: "m1.small", vcpus: 1, memoryMib: 512, rootGib: 5 },
  { id: "4", name: "m1.medium", vcpus: 2, memoryMib: 2048, rootGib: 20 },
] as const;

/** Makes the demo flavors that are not there; an operator's changes stay. */
export async function seedFlavors(ctx: Ctx, cells: Client<typeof GlobalServiceDefinition>): Promise<void> {
  await Promise.all(
    sizes.map((size) =>
      cells.createStoredFlavor(ctx, {
        ifAbsent: true,
        flavor: Flavor.fromPartial({ ...size, isPublic: true, rxtxFactor: 1 }),
      }),
    ),
  );
}
