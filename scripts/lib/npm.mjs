import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { run } from "./run.mjs";

/** npm's own patience is many minutes, in silence. */
const PATIENCE = ["--fetch-timeout=10000", "--fetch-retries=1"];
const PAUSES = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"];
/** How long npm may show no sign of the network before that is said. */
const QUIET_MS = 5_000;

/** Where things are in a tree. */
const placesIn = (tree) => ({
  lock: join(tree, "package-lock.json"),
  packages: join(tree, "node_modules"),
  /** Says that the packages are those of a lock file, by its hash. */
  stamp: join(tree, "node_modules", ".kilonova-lock"),
  work: join(tree, ".cache", "npm"),
  /** There while an install is under way, and after one that was cut short. */
  begun: join(tree, ".cache", "npm", "begun"),
  /** The packages from before, meanwhile. */
  before: join(tree, ".cache", "npm", "before"),
});

const hashOf = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

/**
 * Whether node_modules is what package-lock.json asks for. Packages that were copied or linked from elsewhere
 * count when their names and versions agree.
 */
export function npmReady(tree = root) {
  const { lock, stamp, begun } = placesIn(tree);
  if (existsSync(begun)) return false;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hashOf(lock)) return true;
  if (!agrees(tree)) return false;
  try {
    // Not into the file that is there: it may be linked from another tree.
    rmSync(stamp, { force: true });
    writeFileSync(stamp, hashOf(lock));
  } catch (error) {
    // Somebody else's tree: it is looked through each time.
    if (error.code !== "EACCES" && error.code !== "EROFS") throw error;
  }
  return true;
}

/** Whether each package of the lock file is there in its version; optional ones may be missing. */
function agrees(tree) {
  const { packages } = JSON.parse(readFileSync(placesIn(tree).lock, "utf8"));
  return Object.entries(packages).every(([place, { version, optional }]) => {
    if (place === "") return true;
    try {
      return JSON.parse(readFileSync(join(tree, place, "package.json"), "utf8")).version === version;
    } catch (error) {
      return error.code === "ENOENT" && optional === true;
    }
  });
}

/**
 * Installs the npm packages, exactly as locked. What was there before is put aside meanwhile, and put back
 * when they cannot be had.
 * @throws what npm says, or that the network does not answer
 */
export async function installNpm(note, tree = root) {
  if (npmReady(tree)) return;
  const { lock, packages, stamp, work, begun, before } = placesIn(tree);
  // An earlier try was cut short.
  if (existsSync(before)) putBack(before, packages);
  mkdirSync(work, { recursive: true });
  writeFileSync(begun, "");
  const aside = setAside(packages, before);
  try {
    await npmCi(note, tree);
  } catch (error) {
    if (!aside) throw error;
    putBack(before, packages);
    rmSync(begun);
    throw new Error(`${error.message}\nnode_modules is as it was before.`);
  }
  mkdirSync(packages, { recursive: true });
  writeFileSync(stamp, hashOf(lock));
  rmSync(work, { recursive: true, force: true });
}

/** @returns whether it could be done: not over the border of two file systems, nor when there is nothing */
function setAside(packages, before) {
  try {
    renameSync(packages, before);
    return true;
  } catch (error) {
    if (error.code === "EXDEV" || error.code === "ENOENT") return false;
    throw error;
  }
}

function putBack(before, packages) {
  rmSync(packages, { recursive: true, force: true });
  renameSync(before, packages);
}

async function npmCi(note, tree) {
  const quiet = setTimeout(() => {
    console.log("  npm has had no answer from the network yet; it gives up soon.");
  }, QUIET_MS);
  const onLine = (line) => {
    clearTimeout(quiet);
    note(line);
  };
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=http", ...PATIENCE, ...PAUSES];
  try {
    await run("npm", args, { cwd: tree, onLine });
  } catch (error) {
    if (!UNREACHABLE.test(error.message)) throw error;
    throw new Error(
      "The npm packages cannot be fetched: the network, or the registry, does not answer.\n" +
        (NPM_SAYS.exec(error.message)?.[0] ?? ""),
      { cause: error },
    );
  } finally {
    clearTimeout(quiet);
  }
}

/** What npm calls it. */
const UNREACHABLE = new RegExp(
  `\\b(?:${[
    ...["FETCH_ERROR", "ETIMEDOUT", "ESOCKETTIMEDOUT", "ERR_SOCKET_TIMEOUT", "EAI_AGAIN", "ENOTFOUND"],
    ...["ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "EHOSTUNREACH"],
  ].join("|")})\\b`,
);
/** The line of its error that says what was asked. */
const NPM_SAYS = /^npm error (?!code|errno|type|network This|network In|network If|A complete).*$/m;
