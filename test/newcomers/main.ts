/**
 * Plays newcomers on new machines: `npm run test:newcomers [way …]`. Each machine is a fresh Debian
 * (debootstrap) with Node.js and git and nothing else, over which the README's first command is typed. Needs
 * root, the package debootstrap, the network, and some minutes per way.
 */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { Machine, debian } from "./machine.js";
import { asUser, typed, ways } from "./ways.js";
import type { Way } from "./ways.js";

const project = join(fileURLToPath(new URL(".", import.meta.url)), "..", "..");
const PORT_OFFSET = 22_000;

async function play(base: string, way: Way): Promise<string[]> {
  const machine = new Machine(base, project);
  const script = asUser(way, typed(way, PORT_OFFSET));
  const wrong: string[] = [];
  try {
    const first = await machine.run(script, { label: way.name });
    wrong.push(...judge("first start", first, way.says));
    if (!way.offlineAfter || wrong.length > 0) return wrong;
    const second = await machine.run(script, { label: `${way.name}, offline`, offline: true });
    wrong.push(...judge("second start, offline", second, []));
    return wrong;
  } finally {
    machine.remove();
  }
}

function judge(
  what: string,
  { code, text }: { readonly code: number; readonly text: string },
  says: readonly RegExp[],
): string[] {
  const expected = [
    ...says,
    /^Kilonova is ready/m,
    /^ACTIVE$/m,
    /^GUEST BOOTED$/m,
    /^SERVER GONE$/m,
    /^NEWCOMER SATISFIED$/m,
  ];
  return [
    ...(code === 0 ? [] : [`${what}: exit ${code}`]),
    ...expected.filter((one) => !one.test(text)).map((one) => `${what}: nothing like ${String(one)}`),
  ];
}

if (process.getuid?.() !== 0) throw new Error("new machines can be made by root only");
const wanted = process.argv.slice(2);
const base = debian(process.env["KILONOVA_NEWCOMERS"] ?? join(project, ".cache", "newcomers"));
let failed = 0;
for (const way of ways.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const startedMs = performance.now();
  const wrong = await play(base, way);
  console.log(
    `${wrong.length === 0 ? "✔" : "✖"} ${way.name} (${Math.round((performance.now() - startedMs) / 1000)} s)${wrong.map((one) => `\n    ${one}`).join("")}`,
  );
  if (wrong.length > 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
