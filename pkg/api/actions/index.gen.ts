// Written by scripts/gen-registries.mjs from the files in pkg/api/actions. Do not edit.
import type { Action } from "./action.js";
import changeServerPassword from "./change-server-password.js";
import confirmServerResize from "./confirm-server-resize.js";
import createServerBackup from "./create-server-backup.js";
import createServerImage from "./create-server-image.js";
import lockServer from "./lock-server.js";
import migrateServer from "./migrate-server.js";
import rebootServer from "./reboot-server.js";
import rescueServer from "./rescue-server.js";
import resizeServer from "./resize-server.js";
import revertServerResize from "./revert-server-resize.js";
import shelveServer from "./shelve-server.js";
import unlockServer from "./unlock-server.js";
import unshelveServer from "./unshelve-server.js";

/** Everything in this folder, by file name. */
export const actions: readonly Action[] = [
  changeServerPassword,
  confirmServerResize,
  createServerBackup,
  createServerImage,
  lockServer,
  migrateServer,
  rebootServer,
  rescueServer,
  resizeServer,
  revertServerResize,
  shelveServer,
  unlockServer,
  unshelveServer,
];
