// Written by scripts/gen-registries.mjs from the files in pkg/compute/commands. Do not edit.
import type { Command } from "./command.js";
import { listed } from "./command.js";
import attachInterface from "./attach-interface.js";
import attachVolume from "./attach-volume.js";
import buildGuest from "./build-guest.js";
import cacheImages from "./cache-images.js";
import describeConnector from "./describe-connector.js";
import destroyGuest from "./destroy-guest.js";
import detachInterface from "./detach-interface.js";
import detachVolume from "./detach-volume.js";
import discardRebuild from "./discard-rebuild.js";
import dropSnapshot from "./drop-snapshot.js";
import exportGuest from "./export-guest.js";
import extendVolume from "./extend-volume.js";
import importGuest from "./import-guest.js";
import injectNmi from "./inject-nmi.js";
import keepGuest from "./keep-guest.js";
import letGuestGoOn from "./let-guest-go-on.js";
import pauseGuest from "./pause-guest.js";
import powerOffGuest from "./power-off-guest.js";
import powerOnGuest from "./power-on-guest.js";
import prepareRebuild from "./prepare-rebuild.js";
import quiesceGuest from "./quiesce-guest.js";
import rebootGuest from "./reboot-guest.js";
import rebuildGuest from "./rebuild-guest.js";
import refreshInterfaces from "./refresh-interfaces.js";
import renameVolume from "./rename-volume.js";
import rescueGuest from "./rescue-guest.js";
import restoreInterface from "./restore-interface.js";
import resumeGuest from "./resume-guest.js";
import setGuestPassword from "./set-guest-password.js";
import snapshotGuest from "./snapshot-guest.js";
import suspendGuest from "./suspend-guest.js";
import swapVolume from "./swap-volume.js";
import unpauseGuest from "./unpause-guest.js";
import unquiesceGuest from "./unquiesce-guest.js";
import unrescueGuest from "./unrescue-guest.js";
import uploadSnapshot from "./upload-snapshot.js";

/** Everything in this folder, by file name. */
export const commands: readonly Command[] = [
  listed(attachInterface),
  listed(attachVolume),
  listed(buildGuest),
  listed(cacheImages),
  listed(describeConnector),
  listed(destroyGuest),
  listed(detachInterface),
  listed(detachVolume),
  listed(discardRebuild),
  listed(dropSnapshot),
  listed(exportGuest),
  listed(extendVolume),
  listed(importGuest),
  listed(injectNmi),
  listed(keepGuest),
  listed(letGuestGoOn),
  listed(pauseGuest),
  listed(powerOffGuest),
  listed(powerOnGuest),
  listed(prepareRebuild),
  listed(quiesceGuest),
  listed(rebootGuest),
  listed(rebuildGuest),
  listed(refreshInterfaces),
  listed(renameVolume),
  listed(rescueGuest),
  listed(restoreInterface),
  listed(resumeGuest),
  listed(setGuestPassword),
  listed(snapshotGuest),
  listed(suspendGuest),
  listed(swapVolume),
  listed(unpauseGuest),
  listed(unquiesceGuest),
  listed(unrescueGuest),
  listed(uploadSnapshot),
];
