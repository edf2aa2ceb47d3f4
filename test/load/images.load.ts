import { spawn } from "node:child_process";
import { until } from "../../pkg/testkit/until.js";
import { testCloud } from "../integration/support/standalone-cloud.js";
import type { LoadResult } from "./result.js";
import { percentiles, timed } from "./result.js";

const ROUNDS = 150;
const AT_ONCE = 6;

/** One process with more uploads at once than a project may have; tells the status of each try in a line. */
const uploaders = `
  const { BASE, TOKEN, AT_ONCE } = process.env;
  const piece = Buffer.alloc(256 * 1024, 7);
  const ask = (method, path, body, more = {}) =>
    fetch(BASE + path, { method, body, headers: { "X-Auth-Token": TOKEN, ...more }, duplex: "half" });
  async function* data() { for (let i = 0; i < 256; i++) yield piece; }
  async function upload() {
    const wish = JSON.stringify({ name: "a", disk_format: "raw", container_format: "bare" });
    const { id } = await (await ask("POST", "", wish)).json();
    const octets = { "Content-Type": "application/octet-stream" };
    for (let status = 0; status !== 204; ) {
      status = await ask("PUT", "/" + id + "/file", data(), octets).then((a) => a.status, () => 0);
      console.log(status);
      if (status !== 204) await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await ask("DELETE", "/" + id);
  }
  for (let i = 0; i < Number(AT_ONCE); i++) void (async () => { for (;;) await upload(); })();
`;

/** One project uploads as much as it can; another one makes, lists and deletes images. */
export async function run(): Promise<LoadResult> {
  const cloud = await testCloud();
  const base = `${cloud.cloud.urls.image}/v2/images`;
  const [attacker, victim] = await Promise.all([cloud.login("demo"), cloud.login("admin")]);
  const visit = async (): Promise<void> => {
    const body = JSON.stringify({ name: "v", disk_format: "raw", container_format: "bare" });
    const made = await cloud.raw(base, { method: "POST", token: victim, body });
    if (made.status !== 201) throw new Error(`the victim's request was answered ${made.status}`);
    await cloud.raw(`${base}?limit=20`, { token: victim });
    await cloud.raw(`${base}/${String(made.body["id"])}`, { method: "DELETE", token: victim });
  };
  await timed(ROUNDS / 3, visit); // warm
  const alone = percentiles(await timed(ROUNDS, visit));
  const outcomes = new Map<string, number>();
  const attack = spawn(process.execPath, ["--input-type=module", "--eval", uploaders], {
    env: { ...process.env, BASE: base, TOKEN: attacker, AT_ONCE: String(AT_ONCE) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  attack.stdout.on("data", (text: Buffer) => {
    for (const status of text.toString().split("\n").filter(Boolean))
      outcomes.set(status, (outcomes.get(status) ?? 0) + 1);
  });
  try {
    await until(() => [...outcomes.values()].reduce((sum, n) => sum + n, 0) >= AT_ONCE, {
      what: "the attack to be on",
      timeoutMs: 120_000,
    });
    const attacked = percentiles(await timed(ROUNDS, visit));
    return {
      name: "images",
      victim: { alone, attacked },
      facts: Object.fromEntries(
        [...outcomes].map(([status, times]) => [`uploads answered ${status}`, times]),
      ),
      failures: outcomes.has("413") || outcomes.has("0") ? [] : ["no upload was refused"],
    };
  } finally {
    attack.kill("SIGKILL");
    await cloud.close();
  }
}
