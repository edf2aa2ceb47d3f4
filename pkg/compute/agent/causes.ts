/** The whole chain of causes in one line each: for administrators. */
export function causesOf(error: unknown): string {
  const lines: string[] = [];
  for (let e: unknown = error; e instanceof Error && lines.length < 5; e = e.cause) lines.push(`${e.name}: ${e.message}`);
  return lines.join("\n").slice(0, 4000);
}
