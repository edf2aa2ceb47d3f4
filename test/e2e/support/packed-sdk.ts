import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "./cloud.js";

const run = promisify(execFile);
const modules = join(projectRoot, "node_modules");
const TYPES = {
  compilerOptions: { strict: true, outDir: "out", target: "ES2023", module: "NodeNext", types: ["node"] },
  include: ["*.ts"],
};

/**
 * Both SDKs as `npm run pack:sdk` makes them, each installed in a folder of its own, where nothing else lies:
 * what a package needs and does not declare is not found there.
 */
export class PackedSdk {
  readonly #work = mkdtempSync(join(tmpdir(), "kilonova-sdk-"));
  readonly #wheel: string;
  #python: string | undefined;

  private constructor(wheel: string) {
    this.#wheel = wheel;
  }

  static async pack(): Promise<PackedSdk> {
    const { stdout } = await run(process.execPath, ["scripts/pack-sdk.mjs"], { cwd: projectRoot });
    const [npm = "", wheel = ""] = stdout.trim().split("\n");
    const sdk = new PackedSdk(wheel);
    await sdk.#installNpm(npm);
    return sdk;
  }

  /** The folder with the npm package. */
  node(): string {
    return join(this.#work, "node");
  }

  /** npm would bring the dependencies from its registry; here they are the project's own. */
  async #installNpm(npm: string): Promise<void> {
    const installed = join(this.node(), "node_modules");
    const sdk = join(installed, "kilonova-sdk");
    mkdirSync(sdk, { recursive: true });
    await run("tar", ["xzf", npm, "-C", sdk, "--strip-components=1"]);
    const manifest = readFileSync(join(sdk, "package.json"), "utf8");
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    for (const name of [...Object.keys(dependencies), "@types/node"]) {
      mkdirSync(dirname(join(installed, name)), { recursive: true });
      symlinkSync(join(modules, name), join(installed, name));
    }
    writeFileSync(join(this.node(), "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(this.node(), "tsconfig.json"), JSON.stringify(TYPES));
  }

  /** Compiles programs strictly, the package's types included. @throws Error with the compiler's words */
  async compile(folder: string): Promise<void> {
    for (const name of readdirSync(folder)) cpSync(join(folder, name), join(this.node(), name));
    await run(join(modules, ".bin/tsc"), ["-p", this.node()]).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
  }

  /** @returns false where there is no Python with pip, grpcio, protobuf and PyYAML */
  async installWheel(): Promise<boolean> {
    for (const python of ["python3", "/usr/bin/python3"]) {
      const works = await run(python, ["-c", "import grpc, google.protobuf, yaml, pip"]).catch(
        () => undefined,
      );
      if (works === undefined) continue;
      const target = join(this.#work, "python");
      await run(python, [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        target,
        this.#wheel,
      ]);
      this.#python = python;
      return true;
    }
    return false;
  }

  /** Runs Python with the wheel. */
  python(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    return spawn(this.#python ?? "python3", args, {
      cwd: this.#work,
      env: { ...env, PYTHONPATH: join(this.#work, "python"), PYTHONDONTWRITEBYTECODE: "1" },
    });
  }

  forget(): void {
    rmSync(this.#work, { recursive: true, force: true });
  }
}
