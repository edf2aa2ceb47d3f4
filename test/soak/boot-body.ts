import type { Random } from "../e2e/bad-input/fuzz/random.js";
import type { SoakCloud, Tenant } from "./soak-cloud.js";
import type { Volumes } from "./volumes.js";

/** Disks of a new server: how often each form is chosen. */
const FORMS = [
  ["image", 0.36],
  ["ephemerals", 0.12],
  ["root-from-image", 0.14],
  ["root-from-volume", 0.08],
  ["root-from-snapshot", 0.06],
  ["new-volume", 0.12],
  ["own-volume", 0.12],
] as const;
export type BootForm = (typeof FORMS)[number][0];

/** A server's disks, as the body of `POST /servers` has them. */
export interface BootDisks {
  readonly form: BootForm;
  readonly flavorRef: string;
  readonly imageRef?: string;
  readonly block_device_mapping_v2?: readonly object[];
}

/**
 * What a new server shall boot from and have besides. A form that needs a volume or snapshot when there is
 * none becomes the plain one.
 * @param real  whether it is for a real guest
 */
export async function bootDisks(
  cloud: SoakCloud,
  volumes: Volumes,
  of: { readonly tenant: Tenant; readonly real: boolean },
  random: Random,
): Promise<BootDisks> {
  const image = of.real ? cloud.guestImageId : random.pick(cloud.imageIds);
  const form = formOf(random);
  const plain = { form: "image", flavorRef: cloud.flavorId, imageRef: image } as const;
  const goes = { delete_on_termination: random.chance(0.5) };
  const root = { boot_index: 0, destination_type: "volume", ...goes };
  const rootKind = of.real ? "real-root" : "fake-root";
  const local = {
    ...{ boot_index: 0, source_type: "image", destination_type: "local", uuid: image },
    delete_on_termination: true,
  };
  switch (form) {
    case "image":
      return plain;
    case "ephemerals": {
      const blank = { source_type: "blank", destination_type: "local", boot_index: -1 };
      const swap = { ...blank, guest_format: "swap", volume_size: 16 };
      return {
        ...{ form, flavorRef: cloud.roomyFlavorId, imageRef: image },
        block_device_mapping_v2: [
          local,
          ...Array.from({ length: 1 + random.below(2) }, () => ({ ...blank, volume_size: 1 })),
          ...(random.chance(0.5) ? [swap] : []),
        ],
      };
    }
    case "root-from-image":
      return {
        ...{ form, flavorRef: cloud.flavorId },
        block_device_mapping_v2: [{ ...root, source_type: "image", uuid: image, volume_size: 1 }],
      };
    case "root-from-volume": {
      const uuid = await volumes.free(of.tenant, rootKind, random);
      if (uuid === undefined) return plain;
      const device = { ...root, source_type: "volume", uuid };
      return { form, flavorRef: cloud.flavorId, block_device_mapping_v2: [device] };
    }
    case "root-from-snapshot": {
      const uuid = await volumes.snapshot(of.tenant, rootKind, random);
      if (uuid === undefined) return plain;
      const device = { ...root, source_type: "snapshot", uuid };
      return { form, flavorRef: cloud.flavorId, block_device_mapping_v2: [device] };
    }
    case "new-volume":
      return {
        ...plain,
        form,
        block_device_mapping_v2: [
          local,
          ...Array.from({ length: 1 + random.below(2) }, () => ({
            ...{ source_type: "blank", destination_type: "volume", boot_index: -1, volume_size: 1 },
            ...goes,
          })),
        ],
      };
    case "own-volume": {
      const uuid = await volumes.free(of.tenant, "any", random);
      if (uuid === undefined) return plain;
      const device = { source_type: "volume", destination_type: "volume", boot_index: -1, uuid, ...goes };
      return { ...plain, form, block_device_mapping_v2: [local, device] };
    }
  }
}

function formOf(random: Random): BootForm {
  let left = random.next();
  return (FORMS.find(([, share]) => (left -= share) < 0) ?? FORMS[0])[0];
}
