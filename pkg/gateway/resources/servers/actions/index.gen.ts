// Written by scripts/gen-registries.mjs from the files in pkg/gateway/resources/servers/actions. Do not edit.
import type { ActionBody } from "./action.js";
import changePassword from "./change-password.js";
import createBackup from "./create-backup.js";
import createImage from "./create-image.js";
import lock from "./lock.js";
import migrate from "./migrate.js";
import reboot from "./reboot.js";
import rebuild from "./rebuild.js";
import rescue from "./rescue.js";
import resetState from "./reset-state.js";
import resize from "./resize.js";
import triggerCrashDump from "./trigger-crash-dump.js";
import unshelve from "./unshelve.js";

/** Everything in this folder, by file name. */
export const actionBodies: readonly ActionBody[] = [
  changePassword,
  createBackup,
  createImage,
  lock,
  migrate,
  reboot,
  rebuild,
  rescue,
  resetState,
  resize,
  triggerCrashDump,
  unshelve,
];
