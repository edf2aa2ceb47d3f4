import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cloud, projectRoot } from "./support/cloud.js";
import { laneOffset } from "./support/lane-offset.js";

const PORT_OFFSET = 12_000;
const FAKE = ["--driver", "fake", "--hosts", "1"];

/** A start that is expected to refuse. @returns its exit code and all that it printed */
async function refused(
  home: string,
  args: readonly string[] = [],
  wrapper: readonly string[] = [],
): Promise<{ code: number | null; text: string }> {
  const argv = [
    ...wrapper,
    process.execPath,
    "scripts/start.mjs",
    "--port-offset",
    String(laneOffset(PORT_OFFSET)),
    ...FAKE,
    ...args,
  ];
  const child = spawn(argv[0] ?? "", argv.slice(1), {
    cwd: projectRoot,
    env: { ...process.env, KILONOVA_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  // Not "exit": what it printed last may still be under way then.
  const [code] = (await once(child, "close")) as [number | null];
  return { code, text };
}

const start = (home: string, ...args: string[]): Promise<Cloud> =>
  Cloud.start({ portOffset: PORT_OFFSET, home, args: [...FAKE, ...args] });

/** Says one sentence, and shows no stack. */
function saysPlainly({ code, text }: { code: number | null; text: string }, sentence: RegExp): void {
  assert.equal(code, 1, text);
  assert.match(text, sentence);
  assert.doesNotMatch(text, /^\s+at .*:\d+:\d+/m);
}

describe("a start that meets trouble", () => {
  let home: string;
  beforeEach(() => {
    home = join(mkdtempSync(join(tmpdir(), "kilonova-start-")), "home");
  });
  afterEach(() => rmSync(join(home, ".."), { recursive: true, force: true }));

  it("names the port that is taken, leaves nothing running, and starts when it is free", async () => {
    const port = 8774 + laneOffset(PORT_OFFSET);
    const other = createServer().listen(port, "127.0.0.1");
    await once(other, "listening");
    try {
      saysPlainly(await refused(home), new RegExp(`^Port ${port} \\(compute\\) is in use`, "m"));
    } finally {
      other.close();
    }
    assert.equal(processesOf(home), "");
    await (await start(home)).stop();
  });

  it("does not disturb a running cloud, not even with --fresh", async () => {
    const cloud = await start(home);
    try {
      const before = readFileSync(join(home, "admin-openrc.sh"), "utf8");
      for (const args of [[], ["--fresh"]])
        saysPlainly(
          await refused(home, args),
          new RegExp(`Kilonova is running already on ${home} \\(process ${cloud.pid}\\)`),
        );
      assert.equal(readFileSync(join(home, "admin-openrc.sh"), "utf8"), before);
      assert.equal((await fetch(`http://127.0.0.1:${cloud.port(8774)}/`)).status, 200);
    } finally {
      await cloud.stop();
    }
  });

  it("comes up after a first start that was killed at any moment", async () => {
    for (const afterMs of [150, 600, 1200]) {
      const child = spawn(
        process.execPath,
        ["scripts/start.mjs", "--port-offset", String(laneOffset(PORT_OFFSET)), ...FAKE],
        { cwd: projectRoot, env: { ...process.env, KILONOVA_HOME: home }, stdio: "ignore" },
      );
      await sleep(afterMs);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await (await start(home)).stop();
  });

  it("refuses a folder with other files, also with --fresh, and touches none of them", async () => {
    mkdirSync(home);
    writeFileSync(join(home, "thesis.txt"), "years of work");
    for (const args of [[], ["--fresh"]])
      saysPlainly(await refused(home, args), /holds files that are not Kilonova's/);
    assert.equal(readFileSync(join(home, "thesis.txt"), "utf8"), "years of work");
  });

  it("refuses state of another version, keeps it, and forgets it when told to, with nothing outside", async () => {
    const outside = join(home, "..", "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "keep.txt"), "mine");
    await (await start(home)).stop();
    const password = readFileSync(join(home, "admin-openrc.sh"), "utf8");
    symlinkSync(outside, join(home, "link"));
    writeFileSync(join(home, "kilonova.state"), JSON.stringify({ version: 999 }));
    saysPlainly(
      await refused(home),
      /holds state of version 999; this Kilonova reads version \d+\. Nothing was touched/,
    );
    assert.ok(existsSync(join(home, "secrets.json")));
    const cloud = await start(home, "--fresh");
    await cloud.stop();
    assert.notEqual(readFileSync(join(home, "admin-openrc.sh"), "utf8"), password);
    assert.equal(existsSync(join(home, "link")), false);
    assert.equal(readFileSync(join(outside, "keep.txt"), "utf8"), "mine");
  });

  it("says how little room there is on a full disk", async () => {
    mkdirSync(home);
    // A small disk of its own, in a mount namespace that ends with the process; an ordinary user needs a user
    // namespace too.
    const namespaces = process.getuid?.() === 0 ? ["--mount"] : ["--mount", "--map-root-user"];
    const wrapper = [
      "unshare",
      ...namespaces,
      "sh",
      "-c",
      `mount -t tmpfs -o size=20m tmpfs '${home}' && exec "$0" "$@"`,
    ];
    saysPlainly(await refused(home, [], wrapper), /has \d+ MiB left; Kilonova needs 256/);
  });
});

/** Command lines of what runs below a folder. */
function processesOf(home: string): string {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return ""; // it has ended meanwhile
      }
    });
  return lines.filter((line) => line.includes(home)).join("\n");
}
