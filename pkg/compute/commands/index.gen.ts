// Written by scripts/gen-registries.mjs from the files in pkg/compute/commands. Do not edit.
import type { Command } from "./command.js";
import { listed } from "./command.js";
import buildGuest from "./build-guest.js";
import cacheImages from "./cache-images.js";
import destroyGuest from "./destroy-guest.js";
import pauseGuest from "./pause-guest.js";
import powerOffGuest from "./power-off-guest.js";
import powerOnGuest from "./power-on-guest.js";
import rebootGuest from "./reboot-guest.js";
import rescueGuest from "./rescue-guest.js";
import setGuestPassword from "./set-guest-password.js";
import unpauseGuest from "./unpause-guest.js";
import unrescueGuest from "./unrescue-guest.js";

/** Everything in this folder, by file name. */
export const commands: readonly Command[] = [
  listed(buildGuest),
  listed(cacheImages),
  listed(destroyGuest),
  listed(pauseGuest),
  listed(powerOffGuest),
  listed(powerOnGuest),
  listed(rebootGuest),
  listed(rescueGuest),
  listed(setGuestPassword),
  listed(unpauseGuest),
  listed(unrescueGuest),
];
