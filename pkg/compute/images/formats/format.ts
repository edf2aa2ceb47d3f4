import type { Header, ImageView } from "./view.js";

/** Why an image is not acceptable: the code is the contract, the text is safe to show to its owner. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly text: string;
}

export type RefusalCode =
  | "BACKING_FILE"
  | "DATA_FILE"
  | "UNKNOWN_FEATURE"
  | "ENCRYPTED"
  | "CORRUPT_HEADER"
  | "SUBFORMAT"
  | "EXTERNAL_EXTENT"
  | "UNSUPPORTED_FORMAT"
  | "AMBIGUOUS_FORMAT"
  | "FORMAT_MISMATCH"
  | "CONTAINER_FORMAT"
  | "TOO_LARGE";

export interface FormatReport {
  /** Size of the disk inside, bytes; undefined when the header does not tell. */
  readonly virtualSizeBytes: number | undefined;
  readonly refusals: readonly Refusal[];
  /** The file is the disk itself with something behind it: who calls it raw is right too. */
  readonly alsoRaw?: boolean;
}

/** One disk image format: how it is recognised, and what of it is dangerous. Pure; reads headers only. */
export interface ImageFormat {
  /** As in Glance's `disk_format`. */
  readonly name: string;
  /** qemu-img's name, for `-f`; undefined when images of this format are never converted. */
  readonly qemuName: string | undefined;
  readonly matches: (header: Header, view: ImageView) => boolean;
  readonly check: (header: Header, view: ImageView) => FormatReport;
}

/** Sizes beyond 2^53 are as good as infinite. */
export const toSize = (value: bigint | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

export const corrupt: Refusal = { code: "CORRUPT_HEADER", text: "its header is damaged or incomplete" };

/** For formats that are recognised only to be refused. */
export const unsupported = (name: string): FormatReport => ({
  virtualSizeBytes: undefined,
  refusals: [{ code: "UNSUPPORTED_FORMAT", text: `format ${name} is not supported` }],
});
