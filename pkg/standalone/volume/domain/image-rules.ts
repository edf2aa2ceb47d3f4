import { E } from "../errors.js";
import { GIB } from "./model.js";

/** The part of an image that decides whether a volume can be made of it. Sizes are bytes, `minDisk` GiB. */
export interface ImageFacts {
  readonly id: string;
  readonly active: boolean;
  readonly diskFormat: string | null;
  readonly size: number | null;
  readonly virtualSize: number | null;
  readonly minDisk: number;
}

/** What QEMU calls the formats of images. */
const FORMATS: Readonly<Record<string, string>> = {
  raw: "raw",
  iso: "raw",
  qcow2: "qcow2",
  vmdk: "vmdk",
  vdi: "vdi",
  vhd: "vpc",
  vhdx: "vhdx",
};
export const uploadFormats = Object.keys(FORMATS).filter((format) => format !== "iso");

/** @throws IMAGE_UNACCEPTABLE */
export function qemuFormat({ id, diskFormat }: Pick<ImageFacts, "id" | "diskFormat">): string {
  const format = FORMATS[diskFormat ?? ""];
  if (format === undefined)
    throw E.IMAGE_UNACCEPTABLE({
      id,
      reason: `Image must be in a supported disk format: ${diskFormat ?? "none"} is not`,
    });
  return format;
}

/** Whether an image fits into a volume. @throws INVALID_INPUT, IMAGE_UNACCEPTABLE */
export function demandFits(image: ImageFacts, sizeGib: number): void {
  if (!image.active) throw E.INVALID_INPUT({ reason: `Image ${image.id} is not active.` });
  qemuFormat(image);
  const gib = Math.ceil(Math.max(image.size ?? 0, image.virtualSize ?? 0) / GIB);
  if (gib > sizeGib)
    throw E.INVALID_INPUT({
      reason: `Size of specified image ${gib}GB is larger than volume size ${sizeGib}GB.`,
    });
  if (image.minDisk > sizeGib)
    throw E.INVALID_INPUT({
      reason: `Volume size ${sizeGib}GB cannot be smaller than the image minDisk size ${image.minDisk}GB.`,
    });
}
