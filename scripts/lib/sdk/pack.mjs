import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";
import { run } from "../run.mjs";

const out = join(root, "dist-sdk");
const source = join(root, "pkg", "sdk");
const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Makes the npm package. @returns its file */
export async function packNpm() {
  const folder = join(out, "npm");
  rmSync(folder, { recursive: true, force: true });
  await run(join(root, "node_modules", ".bin", "tsc"), ["-p", source, "--outDir", folder], { cwd: root });
  cpSync(join(source, "gen"), join(folder, "gen"), { recursive: true });
  await bundle(join(folder, "bundle", "kilonova.js"));
  writeFileSync(join(folder, "README.md"), readme());
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest(), undefined, 2));
  await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", out], { cwd: folder });
  const { name, version } = manifest();
  return join(out, `${name}-${version}.tgz`);
}

/** Makes the Python wheel. @returns its file */
export async function packWheel() {
  mkdirSync(out, { recursive: true });
  await run("python3", ["backend.py", out], { cwd: join(root, "pkg", "sdk-python") });
  return join(out, `kilonova-${project.version}-py3-none-any.whl`);
}

/** The users' page. Its links lead to files that the package does not have. */
const readme = () =>
  readFileSync(join(root, "docs", "sdk.md"), "utf8").replace(/\[([^\]]+)\]\((?!https?:)[^)]+\)/g, "$1");

/** pkg/sdk/package.json names what is needed; which versions, the project says. */
function manifest() {
  const own = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const versions = { ...project.devDependencies, ...project.dependencies };
  const dependencies = Object.fromEntries(
    Object.keys(own.dependencies).map((name) => {
      if (!versions[name]) throw new Error(`the project does not know ${name}`);
      return [name, `^${versions[name]}`];
    }),
  );
  const { version, license, type, engines } = project;
  return { ...own, version, license, type, engines, dependencies };
}

/** One file for pages without a bundler of their own. */
async function bundle(outfile) {
  const { build, stop } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: ["pkg/sdk/browser.ts"],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "warning",
  });
  await stop();
}
