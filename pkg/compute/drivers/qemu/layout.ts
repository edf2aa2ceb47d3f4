import { z } from "zod";
import type { Ctx } from "../../../kernel/index.js";
import type { Arrival, GuestSpec } from "../../driver.js";
import { requireNext } from "../disk-pieces.js";
import { broken } from "./arriving-root.js";
import type { HardwareOffer } from "./config.js";
import { ROOT_PORTS } from "./definition.js";
import type { Definition } from "./definition.js";
import { canPin, pinMachine } from "./hardware.js";
import { LAYOUT } from "./leaving-disks.js";
import { machineFamily } from "./machine-family.js";

/** It is a few hundred bytes. */
const MOST_BYTES = 64 * 1024;

const place = z.number().int().min(0).nullable();
const schema = z.object({
  machine: z.string(),
  /** As the image asked for it; null for the deployment's usual one. */
  machineType: z.string().nullable(),
  rootPorts: z.number().int().min(0),
  interfaces: z.array(z.object({ portId: z.string(), slot: place })),
  volumes: z.array(z.object({ volumeId: z.string(), bus: z.string(), slot: place, unit: place })),
});

/**
 * What a guest sees of its machine beside what its flavor and image say: which one it is, and where its
 * interfaces and volumes are. It goes to another host with the disks: the guest finds all where it was.
 */
export type Layout = z.infer<typeof schema>;

export const layoutOf = ({ machine, rootPorts, spec, volumes }: Definition): Layout => ({
  machine,
  machineType: spec.hardware.machineType ?? null,
  rootPorts,
  interfaces: spec.interfaces.map(({ portId, slot }) => ({ portId, slot })),
  // Whoever gives them to it there knows them by these ids.
  volumes: volumes.map(({ volumeId, knownAs, bus, slot, unit }) => ({
    volumeId: knownAs ?? volumeId,
    bus,
    slot,
    unit,
  })),
});

/**
 * The layout that comes with a guest's disks; undefined for none, or none that this version understands.
 * @throws TRANSFER_BROKEN
 */
export async function comingLayout(ctx: Ctx, arrival: Arrival): Promise<Layout | undefined> {
  const disk = arrival.disks.find(({ name }) => name === LAYOUT);
  if (disk === undefined) return undefined;
  if (disk.sizeBytes > MOST_BYTES) throw broken(disk, "it is too large");
  const bytes = Buffer.alloc(disk.sizeBytes);
  let at = 0;
  for await (const piece of arrival.open(ctx, disk, 0)) {
    requireNext(disk, at, piece);
    bytes.set(piece.data, piece.offset);
    at = piece.offset + piece.data.length;
  }
  try {
    return schema.parse(JSON.parse(bytes.toString("utf8")));
  } catch {
    return undefined;
  }
}

/**
 * The layout as this host can build it: with a machine of its own where it does not have that one, or the
 * image asks for another by now; undefined where nothing would be in its place.
 * @throws UNSUPPORTED_HARDWARE as `pinMachine`
 */
export function layoutHere(
  layout: Layout,
  { hardware }: Pick<GuestSpec, "hardware">,
  offer: HardwareOffer,
): Layout | undefined {
  const { machineType, rootPorts, interfaces, volumes } = layout;
  const stays = machineType === (hardware.machineType ?? null) && canPin(layout.machine, offer);
  const machine = stays ? layout.machine : pinMachine(hardware.machineType, offer);
  if (machineFamily(machine) !== machineFamily(layout.machine) || rootPorts > ROOT_PORTS) return undefined;
  const slots = [...interfaces, ...volumes].flatMap(({ slot }) => slot ?? []);
  const ports = machineFamily(machine) === "q35" ? rootPorts : 0;
  const fits = slots.every((slot) => slot < ports) && new Set(slots).size === slots.length;
  return fits ? { ...layout, machine } : undefined;
}
