import { iso, luks, ploop, qed } from "./formats/others.js";
import type { FormatReport, ImageFormat, Refusal } from "./formats/format.js";
import { qcow2 } from "./formats/qcow2.js";
import { vdi } from "./formats/vdi.js";
import { Header } from "./formats/view.js";
import type { ImageView } from "./formats/view.js";
import { vhd } from "./formats/vhd.js";
import { vhdx } from "./formats/vhdx.js";
import { vmdk } from "./formats/vmdk.js";

const formats: readonly ImageFormat[] = [qcow2, vmdk, vhd, vhdx, vdi, qed, luks, ploop, iso];

/** What an image is, by its content alone. */
export interface Inspection extends FormatReport {
  /** Glance's word for it: `qcow2`, `vmdk`, …; `raw` when nothing is recognised. */
  readonly format: string;
  /** For `qemu-img convert -f`; undefined when the bytes are the disk already. */
  readonly qemuName: string | undefined;
  /** A partition table of a raw disk: worth knowing, no format of its own. */
  readonly partitions: "gpt" | "mbr" | "none";
}

/**
 * Finds out what an image is without opening it by any tool. Pure, no regard to what its owner says it is.
 * A file that is several formats at once is refused: which one a tool sees would be its choice.
 */
export function inspectImage(view: ImageView): Inspection {
  const header = new Header(view.head);
  const found = formats.filter((format) => format.matches(header, view));
  const partitions = header.has(512, "EFI PART") ? "gpt" : header.has(510, "\x55\xaa") ? "mbr" : "none";
  const [format] = found;
  if (format === undefined)
    return { format: "raw", qemuName: undefined, partitions, virtualSizeBytes: view.sizeBytes, refusals: [] };
  const report = format.check(header, view);
  const ambiguous: readonly Refusal[] =
    found.length < 2
      ? []
      : [{ code: "AMBIGUOUS_FORMAT", text: `it is ${found.map((f) => f.name).join(" and ")} at once` }];
  return {
    format: format.name,
    qemuName: format.qemuName,
    partitions,
    ...report,
    refusals: [...report.refusals, ...ambiguous],
  };
}

/** What the image's owner says of it. */
export interface Declared {
  readonly diskFormat: string | undefined;
  readonly containerFormat: string | undefined;
}

/** Largest disks that this host makes, bytes. */
export interface ImageLimits {
  readonly virtualBytes: number;
}

/** Formats by which plain bytes are declared: whole disks, and the three parts of an Amazon-style image. */
const plainFormats = ["raw", "ami", "aki", "ari"];
const containers = ["bare", "ami", "aki", "ari"];

/** All reasons against an image; none means that it may be used. */
export function judgeImage(
  inspection: Inspection,
  declared: Declared,
  limits: ImageLimits,
): readonly Refusal[] {
  const refusals = [...inspection.refusals];
  if (!containers.includes(declared.containerFormat ?? "")) {
    refusals.push({
      code: "CONTAINER_FORMAT",
      text: `container format ${shown(declared.containerFormat)} is not supported`,
    });
  }
  if (!agrees(inspection, declared.diskFormat)) {
    refusals.push({
      code: "FORMAT_MISMATCH",
      text: `it is declared as ${shown(declared.diskFormat)} but its content is ${inspection.format}`,
    });
  }
  if ((inspection.virtualSizeBytes ?? 0) > limits.virtualBytes) {
    refusals.push({ code: "TOO_LARGE", text: `its disk is larger than ${limits.virtualBytes} bytes` });
  }
  return refusals;
}

function agrees({ format, alsoRaw }: Inspection, declared: string | undefined): boolean {
  if (format === declared) return true;
  // A hybrid ISO is meant to be written to a disk as it is.
  return (format === "raw" || format === "iso" || alsoRaw === true) && isPlain(declared);
}

const isPlain = (declared: string | undefined): boolean =>
  declared !== undefined && plainFormats.includes(declared);

/**
 * How qemu-img must read an image that was judged well.
 * @returns undefined when its bytes are the disk already, or are said to be
 */
export const converterOf = (
  { qemuName, alsoRaw }: Inspection,
  { diskFormat }: Declared,
): string | undefined => (alsoRaw === true && isPlain(diskFormat) ? undefined : qemuName);

/** Declared formats are free text of the owner. */
const shown = (text: string | undefined): string =>
  text === undefined ? "nothing" : text.replace(/[^\w.-]/g, "?").slice(0, 32);
