// One lane of a suite: a process that runs test files, one after the other, as its parent names them.
// Modules, and the PostgreSQL that tests share, stay from file to file.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Mocha from "mocha";
import { root } from "../paths.mjs";

const config = JSON.parse(readFileSync(resolve(root, process.argv[2]), "utf8"));
const rootHooks = await hooksOf(config.require ?? []);

// As under mocha's command, a rejection that nobody handles fails no test; here it is at least seen, and does
// not end the lane between two files.
process.on("unhandledRejection", (reason) => console.error("A rejection that nobody handled:", reason));
process.on("message", ({ file }) => void runFile(file).then((result) => process.send(result)));
process.on("disconnect", () => process.exit(0));
process.send({ ready: true });

/** @returns how many tests and hooks failed; `error` when the file could not even be loaded */
async function runFile(file) {
  const reporter = join(root, "scripts/lib/counting-reporter.cjs");
  const mocha = new Mocha({ ...config, rootHooks, reporter });
  mocha.addFile(resolve(root, file));
  try {
    await mocha.loadFilesAsync();
    const failures = await new Promise((resolve) => mocha.run(resolve));
    mocha.dispose();
    return { failures };
  } catch (error) {
    return { failures: 1, error: String(error?.stack ?? error) };
  }
}

/** Hooks around each file that the configuration's `require` brings. */
async function hooksOf(modules) {
  const all = {};
  for (const path of modules) {
    const { mochaHooks = {} } = await import(pathToFileURL(resolve(root, path)).href);
    for (const [name, hook] of Object.entries(mochaHooks)) (all[name] ??= []).push(hook);
  }
  return all;
}
