// What `npm start` and `npm test` have in common: npm packages, Debian packages, the build; shown step by
// step.
import { build, buildReady } from "./build.mjs";
import { useTree, unpackPackages } from "./debian-tree.mjs";
import { canUnpack, installPackages, installer, missingPackages } from "./debian.mjs";
import { installNpm, npmReady } from "./npm.mjs";
import { progress } from "./progress.mjs";

/**
 * Brings everything that is missing. Debian packages are installed as root or with sudo, and otherwise
 * unpacked below the project; that neither works (no apt, no network) is said in a sentence and is no
 * failure.
 * @throws what npm or the build says
 */
export async function prepare(sets) {
  useTree();
  const wanted = [...new Set(missingPackages(sets))];
  const names = wanted.join(" ");
  const steps = [
    [!npmReady(), "Installing npm packages", installNpm],
    [
      wanted.length > 0 && installer() !== undefined,
      `Installing Debian packages: ${names}`,
      (note) => installPackages(wanted, note),
    ],
    [
      wanted.length > 0 && installer() === undefined && canUnpack(),
      `Unpacking Debian packages below .cache, without root or sudo: ${names}`,
      (note) => unpackPackages(wanted, note).catch(giveUp),
    ],
    [!buildReady(), "Building", build],
  ].filter(([needed]) => needed);
  const show = progress(steps.length);
  for (const [, title, work] of steps) await show.step(title, work);
  const missing = [...new Set(missingPackages(sets))];
  if (missing.length > 0)
    console.log(`Neither installed nor unpacked, and not to be had now: ${missing.join(" ")}.`);
}

/** Unpacking needs the network; without it the cloud goes on with what is there. */
function giveUp(error) {
  console.log(
    `Unpacking failed: ${error.message.split("\n").findLast((line) => line.trim() !== "") ?? "no reason given"}`,
  );
}
