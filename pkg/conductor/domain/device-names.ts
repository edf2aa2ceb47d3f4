import { diskLetters } from "../../model/disk-letters.js";

/** Prefix and letters of `/dev/vdb`, `/dev/xvdb`, `/dev/sda1`. @source Nova's block_device.match_device */
const DEVICE = /^(\/dev\/x?[a-z]?d?)([a-z]+)\d*$/;
const DEFAULT_ROOT = "/dev/vda";

/** How a name was found, or why there is none. */
export type FoundName =
  | { readonly kind: "found"; readonly name: string }
  | { readonly kind: "in-use" }
  | { readonly kind: "too-many" };

/**
 * A name for one more disk: the letter that is asked for behind the root disk's prefix, or the first free
 * one.
 * @param asked    such as /dev/sdc; "" for any
 * @param used     names of the disks that the server has
 * @param root     name of its root disk; "" for the default
 * @param maximum  disks that a server may have; -1 for no limit
 * @source nova.compute.utils.get_next_device_name
 */
export function nextDeviceName(
  asked: string,
  used: readonly string[],
  root: string,
  maximum: number,
): FoundName {
  const letters = new Set(used.flatMap((name) => DEVICE.exec(name)?.[2] ?? []));
  if (maximum >= 0 && letters.size + 1 > maximum) return { kind: "too-many" };
  const prefix = DEVICE.exec(root === "" ? DEFAULT_ROOT : root)?.[1] ?? "/dev/vd";
  const wanted = DEVICE.exec(asked)?.[2];
  if (wanted !== undefined && letters.has(wanted)) return { kind: "in-use" };
  const letter = wanted ?? ALL_LETTERS.find((one) => !letters.has(one));
  return letter === undefined ? { kind: "too-many" } : { kind: "found", name: `${prefix}${letter}` };
}

/** a, b … z, aa, ab … zz. */
const ALL_LETTERS = Array.from({ length: 26 + 26 * 26 }, (_, index) => diskLetters(index));
