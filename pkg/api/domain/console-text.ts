/**
 * The end of a console's log as clients can show it: no control characters but tab and newline.
 * @param lines  from the end; undefined means all
 */
export function consoleText(output: Uint8Array, lines: number | undefined): string {
  const text = Buffer.from(output)
    .toString("utf8")
    .replace(/\p{Cc}/gu, (sign) => (sign === "\t" || sign === "\n" || sign > " " ? sign : ""));
  if (lines === undefined) return text;
  if (lines === 0) return "";
  const all = text.split("\n");
  const complete = all.at(-1) === "" ? all.slice(0, -1) : all;
  return complete.slice(-lines).join("\n") + (complete.length < all.length ? "\n" : "");
}
