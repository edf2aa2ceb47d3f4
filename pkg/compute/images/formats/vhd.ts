import { corrupt, toSize } from "./format.js";
import type { ImageFormat } from "./format.js";
import { Header } from "./view.js";

const FIXED = 2;
const DYNAMIC = 3;

/**
 * Dynamic disks begin with a copy of their footer; fixed ones only end with it. @source Virtual Hard Disk
 * Image Format 1.0
 */
export const vhd: ImageFormat = {
  name: "vhd",
  qemuName: "vpc",
  matches: (h, view) => h.has(0, "conectix") || isFixed(view.tail),
  check: (h, view) => {
    const alsoRaw = !h.has(0, "conectix");
    const footer = alsoRaw ? new Header(view.tail) : h;
    const [size, type] = [footer.u64be(48), footer.u32be(60)];
    if (size === undefined || type === undefined) return { virtualSizeBytes: undefined, refusals: [corrupt] };
    const refusals =
      type === FIXED || type === DYNAMIC
        ? []
        : [{ code: "BACKING_FILE", text: "it is a differencing disk" } as const];
    return { virtualSizeBytes: toSize(size), refusals, alsoRaw };
  },
};

function isFixed(tail: Uint8Array): boolean {
  const footer = new Header(tail);
  return footer.has(0, "conectix") && footer.u32be(60) === FIXED;
}
