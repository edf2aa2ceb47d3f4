import assert from "node:assert/strict";
import type { OpenStackShell } from "../support/openstack-shell.js";
import { until } from "../../../pkg/testkit/until.js";
import { isRefused } from "./row.js";
import type { Row, Works } from "./row.js";
import type { Scene } from "./scene.js";
import type { Stage } from "./stage.js";

export type Client = "openstack" | "nova";

/** Types one row, and looks at what has become of it. @throws when that is not what the row says */
export async function tryRow(
  client: Client,
  stage: Stage,
  row: Row,
  scene: Scene,
  args: string[],
): Promise<void> {
  if (isRefused(row)) {
    const said =
      client === "nova" ? await novaFails(stage, row, args) : await openstackFails(stage, row, args);
    assert.doesNotMatch(said, /Unexpected|HTTP 5(?!01)|Traceback/, "it must be refused, not break");
    assert.match(said, row.refused);
    return;
  }
  const printed =
    client === "nova" ? await novaPrints(stage, row, args) : await openstackPrints(stage, row, args);
  if (row.prints) assert.match(printed, row.prints);
  if (row.becomes) await waitFor(scene, row.becomes);
  await row.holds?.(scene, printed);
}

async function openstackPrints(stage: Stage, row: Works, args: string[]): Promise<string> {
  const shell = shellOf(stage, row);
  const words = [...row.command.split(" "), ...args];
  if (row.warns !== undefined) {
    // The shell takes any complaint for a failure.
    assert.match(await shell.fails(...words), row.warns);
    return "";
  }
  if (row.json === undefined) return shell.run(...words);
  const told = await shell.json<unknown>(...words);
  const rows = Array.isArray(told) ? told : [told];
  assert.ok(
    rows.some((one) => isAs(one, row.json)),
    `${JSON.stringify(told)} has nothing like ${describeWanted(row.json)}`,
  );
  return JSON.stringify(told);
}

const openstackFails = (stage: Stage, row: Row, args: string[]): Promise<string> =>
  shellOf(stage, row).fails(...row.command.split(" "), ...args);

const shellOf = (stage: Stage, { by = "demo", at }: Row): OpenStackShell => stage.openstack(by, at);

const novaWords = ({ command, at }: Row, args: string[]): string[] => [
  ...(at === undefined ? [] : ["--os-compute-api-version", at]),
  command,
  ...args,
];

async function novaPrints(stage: Stage, row: Row, args: string[]): Promise<string> {
  const { code, out, err } = await stage.nova(row.by ?? "demo").run(novaWords(row, args), row.typed);
  assert.equal(code, 0, `${out}${err}`);
  return out;
}

async function novaFails(stage: Stage, row: Row, args: string[]): Promise<string> {
  const { code, out, err } = await stage.nova(row.by ?? "demo").run(novaWords(row, args), row.typed);
  assert.notEqual(code, 0, `it should have failed, and printed ${out}${err}`);
  return err;
}

async function waitFor(scene: Scene, wanted: NonNullable<Works["becomes"]>): Promise<void> {
  let seen: unknown;
  const isThere = async (): Promise<boolean> => {
    const server = await scene.server();
    seen = server;
    if (wanted === "gone") return server === undefined;
    return server !== undefined && server["OS-EXT-STS:task_state"] === null && isAs(server, wanted);
  };
  await until(isThere, { timeoutMs: 180_000, everyMs: 50, what: `${describeWanted(wanted)}` }).catch(() =>
    assert.fail(`wanted ${describeWanted(wanted)}, seen ${JSON.stringify(seen)}`),
  );
}

/** Whether everything that is wanted is there: fields one by one, texts as patterns, all else as it is. */
function isAs(seen: unknown, wanted: unknown): boolean {
  if (wanted instanceof RegExp) return wanted.test(typeof seen === "string" ? seen : JSON.stringify(seen));
  if (typeof wanted !== "object" || wanted === null) return seen === wanted;
  if (Array.isArray(wanted))
    return (
      Array.isArray(seen) && seen.length === wanted.length && wanted.every((one, i) => isAs(seen[i], one))
    );
  return (
    typeof seen === "object" &&
    seen !== null &&
    Object.entries(wanted).every(([name, one]) => isAs((seen as Record<string, unknown>)[name], one))
  );
}

const describeWanted = (wanted: unknown): string =>
  JSON.stringify(wanted, (_, value: unknown) => (value instanceof RegExp ? String(value) : value));
