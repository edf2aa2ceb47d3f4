import { isIPv4, isIPv6 } from "node:net";
import { readUserRegex } from "../../platform/regex/index.js";
import { parseIso, parseUuid } from "../../kernel/index.js";

/**
 * Control characters, and code points that stand for nothing (Unicode categories C except private use, and
 * line separators).
 */
const UNPRINTABLE = /[\p{Cc}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u;

const isPrintable = (value: string): boolean => !UNPRINTABLE.test(value);
/** What some dialect takes. A value that is really used as one is looked at again where that happens. */
const isRegex = (value: string): boolean => {
  if (value === "") return false;
  if (readUserRegex(value).problem === undefined) return true;
  try {
    new RegExp(value);
    return true;
  } catch {
    return false; // The pattern's fault, which is what was asked.
  }
};
/** Characters outside the alphabet are skipped, as by Python's decoder; only wrong padding is refused. */
const isBase64 = (value: string): boolean => {
  const [digits = "", ...rest] = value.replace(/[^A-Za-z0-9+/=]/g, "").split("=");
  return digits.length % 4 === 0 || (digits.length % 4 !== 1 && rest.length >= 4 - (digits.length % 4));
};

/** Formats of the Compute API's schemas. */
export const formats: Readonly<Record<string, (value: string) => boolean>> = {
  name: (value) => isPrintable(value) && value.trim() === value && value !== "",
  name_with_leading_trailing_spaces: (value) => isPrintable(value) && value.trim() !== "",
  az_name: (value) => isPrintable(value) && value.trim() === value && value !== "" && !value.includes(":"),
  az_name_with_leading_trailing_spaces: (value) =>
    isPrintable(value) && value.trim() !== "" && !value.includes(":"),
  printable: isPrintable,
  uuid: (value) => parseUuid(value) !== undefined,
  ipv4: isIPv4,
  ipv6: (value) => isIPv6(value) && !value.includes("%"),
  base64: isBase64,
  regex: isRegex,
  "date-time": (value) => parseIso(value) !== undefined,
};
