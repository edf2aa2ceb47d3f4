// `npm start`: installs what is missing, builds what changed, brings the whole cloud up. Needs nothing but
// Node.
import { join } from "node:path";
import { missingPackages } from "./lib/debian.mjs";
import { root } from "./lib/paths.mjs";
import { prepare } from "./lib/prepare.mjs";

const args = process.argv.slice(2);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 11))
  fail(`Kilonova needs Node.js 20.11 or newer; this is ${process.versions.node}.`);

const wantsFake = args.includes("--driver=fake") || args[args.indexOf("--driver") + 1] === "fake";
await prepare(wantsFake ? ["client"] : ["hypervisor", "guestImage", "client"]).catch((error) =>
  fail(error.message),
);
if (!wantsFake && missingPackages(["hypervisor", "guestImage"]).length > 0) {
  console.log(
    "Without QEMU and its tools the hosts use the fake driver: servers become ACTIVE, but no machine runs.",
  );
  args.push("--driver", "fake");
}
process.argv.splice(2, process.argv.length, "up", ...args);
await import(join(root, "dist", "kilonova.js"));

function fail(message) {
  console.error(message);
  process.exit(1);
}
