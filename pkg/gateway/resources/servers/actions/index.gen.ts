// Written by scripts/gen-registries.mjs from the files in pkg/gateway/resources/servers/actions. Do not edit.
import type { ActionBody } from "./action.js";
import changePassword from "./change-password.js";
import lock from "./lock.js";
import reboot from "./reboot.js";
import rescue from "./rescue.js";

/** Everything in this folder, by file name. */
export const actionBodies: readonly ActionBody[] = [
  changePassword,
  lock,
  reboot,
  rescue,
];
