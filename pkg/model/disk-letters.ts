/** What tells disks of one bus apart, in their order: 0 → a, 25 → z, 26 → aa. */
export function diskLetters(index: number): string {
  const rest = Math.floor(index / 26) - 1;
  return (rest < 0 ? "" : diskLetters(rest)) + String.fromCharCode(97 + (index % 26));
}
