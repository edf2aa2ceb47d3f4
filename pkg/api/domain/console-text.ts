/** Terminals obey those beyond 0x7f as well, which Nova lets pass. */
const CONTROLS = /[^\P{Cc}\t\n]/gu;

/**
 * The end of a console's log as clients can show it: no control characters but tab and newline.
 * @param lines  from the end, undefined means all. So many and no more, without a newline behind the last:
 *   clients count what stands between newlines. Nova counts that too, and so gives one line less where the
 *   log ends with a newline.
 */
export function consoleText(output: Uint8Array, lines: number | undefined): string {
  const text = Buffer.from(output).toString("utf8").replace(CONTROLS, "");
  if (lines === undefined) return text;
  if (lines === 0) return "";
  return text.replace(/\n$/, "").split("\n").slice(-lines).join("\n");
}
