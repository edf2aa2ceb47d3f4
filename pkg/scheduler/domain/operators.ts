/**
 * Whether a value satisfies what an extra spec asks: an operator and operands, or plain text for equality.
 * @source scheduler.md §5: `=` means numeric at-least, for historic reasons
 */
export function satisfies(have: string, wanted: string): boolean {
  const words = wanted.trim().split(/\s+/);
  const [operator = "", operand = ""] = words;
  const rest = words.slice(1);
  const numeric = NUMERIC[operator];
  if (numeric !== undefined) return numeric(Number(have), Number(operand));
  const textual = TEXTUAL[operator];
  if (textual !== undefined) return textual(have, operand);
  if (operator === "<in>") return rest.length > 0 && have.includes(rest.join(" "));
  if (operator === "<all-in>") return rest.length > 0 && rest.every((part) => have.includes(part));
  if (operator === "<or>")
    return wanted
      .split("<or>")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .includes(have.trim());
  return have === wanted;
}

const NUMERIC: Readonly<Record<string, (have: number, wanted: number) => boolean>> = {
  "=": (have, wanted) => have >= wanted,
  ">=": (have, wanted) => have >= wanted,
  "<=": (have, wanted) => have <= wanted,
  "==": (have, wanted) => have === wanted,
  "!=": (have, wanted) => have !== wanted,
};
const TEXTUAL: Readonly<Record<string, (have: string, wanted: string) => boolean>> = {
  "s==": (have, wanted) => have === wanted,
  "s!=": (have, wanted) => have !== wanted,
  "s<": (have, wanted) => have < wanted,
  "s<=": (have, wanted) => have <= wanted,
  "s>": (have, wanted) => have > wanted,
  "s>=": (have, wanted) => have >= wanted,
};
