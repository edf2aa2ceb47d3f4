// Written by scripts/gen-registries.mjs from the files in pkg/compute/commands. Do not edit.
import type { Command } from "./command.js";
import { listed } from "./command.js";
import attachInterface from "./attach-interface.js";
import buildGuest from "./build-guest.js";
import cacheImages from "./cache-images.js";
import destroyGuest from "./destroy-guest.js";
import detachInterface from "./detach-interface.js";
import pauseGuest from "./pause-guest.js";
import powerOffGuest from "./power-off-guest.js";
import powerOnGuest from "./power-on-guest.js";
import rebootGuest from "./reboot-guest.js";
import refreshInterfaces from "./refresh-interfaces.js";
import restoreInterface from "./restore-interface.js";
import setGuestPassword from "./set-guest-password.js";
import unpauseGuest from "./unpause-guest.js";

/** Everything in this folder, by file name. */
export const commands: readonly Command[] = [
  listed(attachInterface),
  listed(buildGuest),
  listed(cacheImages),
  listed(destroyGuest),
  listed(detachInterface),
  listed(pauseGuest),
  listed(powerOffGuest),
  listed(powerOnGuest),
  listed(rebootGuest),
  listed(refreshInterfaces),
  listed(restoreInterface),
  listed(setGuestPassword),
  listed(unpauseGuest),
];
