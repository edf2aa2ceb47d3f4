const MAX = 63;

/**
 * Makes a name for inside the guest out of a display name: spaces, underscores and dots become dashes, other
 * signs vanish.
 * @param fallback  used when nothing is left
 * @source Nova's hostname rules: characters beyond Latin-1 are dropped, letters become small, 63 characters
 *   at most
 */
export function hostnameFrom(displayName: string, fallback: string): string {
  const latin = [...displayName].filter((sign) => sign <= "\u00ff").join("");
  const cleaned = latin
    .replace(/[ _.]/g, "-")
    .replace(/[^\p{L}\p{N}_-]+/gu, "")
    .toLowerCase();
  const name = trim(trim(cleaned).slice(0, MAX));
  return name === "" ? fallback.slice(0, MAX) : name;
}

const trim = (text: string): string => text.replace(/^[.-]+|[.-]+$/g, "");

/** How one of several servers made together is called. @param index  from 0 */
export const numbered = (name: string, index: number, count: number): string =>
  count > 1 ? `${name}-${index + 1}` : name;
