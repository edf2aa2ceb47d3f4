import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Cloud, projectRoot } from "./support/cloud.js";

const run = promisify(execFile);
const bin = (name: string): string => join(projectRoot, "node_modules", ".bin", name);
const TYPES = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: "ES2023",
    module: "NodeNext",
    skipLibCheck: true,
    types: ["node"],
  },
  include: ["*.ts"],
};

/**
 * A Python that has what the example needs, and what makes its stubs; undefined where Debian's packages are
 * not installed.
 */
async function findPython(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const works = await Promise.all([
      run(python, ["-c", "import grpc, google.protobuf"]),
      run("protoc", ["--version"]),
      run("which", ["grpc_python_plugin"]),
    ]).catch(() => undefined);
    if (works) return python;
  }
  return undefined;
}

/** What both programs see of their server. */
const LIFE = [
  "BUILDING scheduling",
  "BUILDING networking",
  "BUILDING spawning",
  "ACTIVE",
  "ACTIVE deleting",
  "deleted",
];

/** The programs of docs/sdk, as somebody runs them who follows its README. */
describe("the SDK examples", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  const work = mkdtempSync(join(tmpdir(), "kilonova-sdk-"));
  const generate = (language: string): Promise<unknown> =>
    run(
      bin("buf"),
      ["generate", "--template", `docs/sdk/${language}/buf.gen.yaml`, "-o", join(work, language)],
      { cwd: projectRoot },
    );
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    ...cloud.credentials("demo"),
    KILONOVA_GRPC: `127.0.0.1:${cloud.port(8770)}`,
  });

  before(async () => {
    cloud = await Cloud.start({ portOffset: 13_000, args: ["--driver", "fake", "--hosts", "1"] });
  });
  after(async () => {
    rmSync(work, { recursive: true, force: true });
    if (!cloud) return;
    await cloud.stop();
    cloud.forget();
  });

  it("in TypeScript type-check, boot a server and tell its life", async () => {
    await generate("typescript");
    const project = join(work, "typescript");
    copyFileSync(
      join(projectRoot, "docs/sdk/typescript/boot-and-watch.ts"),
      join(project, "boot-and-watch.ts"),
    );
    symlinkSync(join(projectRoot, "node_modules"), join(project, "node_modules"));
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(TYPES));
    await run(bin("tsc"), ["-p", project]).catch((error: { stdout: string }) => assert.fail(error.stdout));
    const { stdout } = await run(process.execPath, ["--import", "tsx", "boot-and-watch.ts"], {
      cwd: project,
      env: env(),
      timeout: 120_000,
    });
    const [accepted = "", again, reused, nameless, ...states] = stdout.trim().split("\n");
    assert.match(accepted, /^accepted [0-9a-f-]{36}$/);
    assert.deepEqual(
      [again, reused, nameless],
      [
        accepted.replace("accepted", "again true"),
        "refused ABORTED TOKEN_REUSED",
        "refused INVALID_ARGUMENT INVALID_REQUEST name",
      ],
    );
    const generations = states.map((line) => Number(line.split(" ")[0]));
    assert.deepEqual(
      generations,
      [...new Set(generations)].sort((a, b) => a - b),
    );
    const texts = states.map((line) => line.replace(/^\d+ /, ""));
    assert.deepEqual(
      texts.filter((text, i) => text !== texts[i - 1]),
      LIFE,
    );
  });

  it("in Python boot a server and wait for it", async function () {
    const python = await findPython();
    if (python === undefined) this.skip(); // listed in test/skips.txt
    await generate("python");
    const { stdout } = await run(python, [join(projectRoot, "docs/sdk/python/boot_and_wait.py")], {
      env: { ...env(), PYTHONPATH: join(work, "python", "gen"), PYTHONDONTWRITEBYTECODE: "1" },
      timeout: 120_000,
    });
    const [accepted = "", again, reused, nameless, boot, server = "", deletion, afterwards, ...seen] = stdout
      .trim()
      .split("\n")
      .map((line) => line.trim());
    assert.match(accepted, /^accepted [0-9a-f-]{36}$/);
    assert.deepEqual(
      [again, reused, nameless],
      [
        accepted.replace("accepted", "again True"),
        "refused ABORTED TOKEN_REUSED",
        "refused INVALID_ARGUMENT INVALID_REQUEST name",
      ],
    );
    assert.match(server, /^server VM_STATE_ACTIVE \d+\.\d+\.\d+\.\d+$/);
    assert.deepEqual(
      [boot, deletion, afterwards],
      [
        "boot OPERATION_STATE_SUCCEEDED",
        "deletion OPERATION_STATE_SUCCEEDED",
        "afterwards NOT_FOUND SERVER_NOT_FOUND",
      ],
    );
    const generations = seen.map((line) => Number(line.split(" ")[1]));
    assert.deepEqual(
      generations,
      [...new Set(generations)].sort((a, b) => a - b),
    );
    const texts = seen.map((line) => line.replace(/^seen \d+ /, ""));
    assert.deepEqual(
      texts.filter((text, i) => text !== texts[i - 1]),
      LIFE,
    );
  });
});
