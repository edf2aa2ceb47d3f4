import { corrupt, toSize } from "./format.js";
import type { ImageFormat, Refusal } from "./format.js";

const SIGNATURE_AT = 64;
const DYNAMIC = 1;
const STATIC = 2;

/** @source VirtualBox VDI header 1.1, as QEMU's block/vdi.c lays it out */
export const vdi: ImageFormat = {
  name: "vdi",
  qemuName: "vdi",
  matches: (h) => h.u32le(SIGNATURE_AT) === 0xbeda107f,
  check: (h) => {
    const [type, size] = [h.u32le(76), h.u64le(368)];
    if (type === undefined || size === undefined) return { virtualSizeBytes: undefined, refusals: [corrupt] };
    const refusals: Refusal[] = [];
    // uuid_link and uuid_parent
    if ((type !== DYNAMIC && type !== STATIC) || !h.zero(424, 32))
      refusals.push({ code: "BACKING_FILE", text: "it is a differencing disk" });
    return { virtualSizeBytes: toSize(size), refusals };
  },
};
