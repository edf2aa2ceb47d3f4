// `npm start`: installs what is missing, builds what changed, brings the whole cloud up. Needs nothing but Node.
import { join } from "node:path";
import { build, buildReady } from "./lib/build.mjs";
import { installPackages, installer, missingPackages } from "./lib/debian.mjs";
import { installNpm, npmReady } from "./lib/npm.mjs";
import { root } from "./lib/paths.mjs";
import { progress } from "./lib/progress.mjs";

const args = process.argv.slice(2);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 11)) fail(`Kilonova needs Node.js 20.11 or newer; this is ${process.versions.node}.`);

const wantsFake = args.includes("--driver=fake") || args[args.indexOf("--driver") + 1] === "fake";
const packages = missingPackages(wantsFake ? ["client"] : ["hypervisor", "guestImage", "client"]);
const canInstall = packages.length > 0 && installer() !== undefined;
const steps = [
  [!npmReady(), "Installing npm packages", installNpm],
  [canInstall, `Installing Debian packages: ${packages.join(" ")}`, (note) => installPackages(packages, note)],
  [!buildReady(), "Building", build],
].filter(([needed]) => needed);

try {
  const show = progress(steps.length);
  for (const [, title, work] of steps) await show.step(title, work);
} catch (error) {
  fail(error.message);
}
if (packages.length > 0 && !canInstall) {
  console.log(`Not installed, and neither root nor sudo to do it: ${packages.join(" ")}.`);
  if (missingPackages(["hypervisor", "guestImage"]).length > 0 && !wantsFake) {
    console.log("Without QEMU's tools the hosts use the fake driver: servers become ACTIVE, but no machine runs.");
    args.push("--driver", "fake");
  }
}
process.argv.splice(2, process.argv.length, "up", ...args);
await import(join(root, "dist", "kilonova.js"));

function fail(message) {
  console.error(message);
  process.exit(1);
}
