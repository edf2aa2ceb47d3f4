// Written by scripts/gen-registries.mjs from the files in pkg/compute/commands. Do not edit.
import type { Command } from "./command.js";
import { listed } from "./command.js";
import buildGuest from "./build-guest.js";
import cacheImages from "./cache-images.js";
import destroyGuest from "./destroy-guest.js";
import discardRebuild from "./discard-rebuild.js";
import pauseGuest from "./pause-guest.js";
import powerOffGuest from "./power-off-guest.js";
import powerOnGuest from "./power-on-guest.js";
import prepareRebuild from "./prepare-rebuild.js";
import rebootGuest from "./reboot-guest.js";
import rebuildGuest from "./rebuild-guest.js";
import setGuestPassword from "./set-guest-password.js";
import unpauseGuest from "./unpause-guest.js";

/** Everything in this folder, by file name. */
export const commands: readonly Command[] = [
  listed(buildGuest),
  listed(cacheImages),
  listed(destroyGuest),
  listed(discardRebuild),
  listed(pauseGuest),
  listed(powerOffGuest),
  listed(powerOnGuest),
  listed(prepareRebuild),
  listed(rebootGuest),
  listed(rebuildGuest),
  listed(setGuestPassword),
  listed(unpauseGuest),
];
