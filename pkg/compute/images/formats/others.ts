import { unsupported } from "./format.js";
import type { ImageFormat } from "./format.js";

/** Recognised so that they cannot pass for something else. */
export const qed: ImageFormat = {
  name: "qed",
  qemuName: undefined,
  matches: (h) => h.has(0, "QED\0"),
  check: () => unsupported("qed"),
};

export const luks: ImageFormat = {
  name: "luks",
  qemuName: undefined,
  matches: (h) => h.has(0, "LUKS\xba\xbe"),
  check: () => ({ virtualSizeBytes: undefined, refusals: [{ code: "ENCRYPTED", text: "it is encrypted" }] }),
};

export const ploop: ImageFormat = {
  name: "ploop",
  qemuName: undefined,
  matches: (h) => h.has(0, "WithoutFreeSpace") || h.has(0, "WithouFreSpacExt"),
  check: () => unsupported("ploop"),
};

/** Copied byte by byte; never parsed on the host. */
export const iso: ImageFormat = {
  name: "iso",
  qemuName: undefined,
  matches: (h) => h.has(0x8001, "CD001"),
  check: (_h, view) => ({ virtualSizeBytes: view.sizeBytes, refusals: [] }),
};
