// Written by scripts/gen-registries.mjs from the files in pkg/model/operations. Do not edit.
import type { OperationDeclaration } from "../operation-declaration.js";
import { anyOperation } from "../operation-declaration.js";
import attachInterface from "./attach-interface.js";
import attachVolume from "./attach-volume.js";
import bootServer from "./boot-server.js";
import cacheAggregateImages from "./cache-aggregate-images.js";
import cacheHostImages from "./cache-host-images.js";
import changeServerPassword from "./change-server-password.js";
import confirmServerResize from "./confirm-server-resize.js";
import createServerBackup from "./create-server-backup.js";
import createServerImage from "./create-server-image.js";
import deleteServer from "./delete-server.js";
import detachInterface from "./detach-interface.js";
import detachVolume from "./detach-volume.js";
import extendVolume from "./extend-volume.js";
import lockServer from "./lock-server.js";
import migrateServer from "./migrate-server.js";
import offloadServer from "./offload-server.js";
import pauseServer from "./pause-server.js";
import rebootServer from "./reboot-server.js";
import rebuildServer from "./rebuild-server.js";
import refreshInterfaces from "./refresh-interfaces.js";
import rescueServer from "./rescue-server.js";
import resetServerState from "./reset-server-state.js";
import resizeServer from "./resize-server.js";
import restoreServer from "./restore-server.js";
import resumeServer from "./resume-server.js";
import revertServerResize from "./revert-server-resize.js";
import shelveServer from "./shelve-server.js";
import softDeleteServer from "./soft-delete-server.js";
import startServer from "./start-server.js";
import stopServer from "./stop-server.js";
import suspendServer from "./suspend-server.js";
import swapVolume from "./swap-volume.js";
import triggerCrashDump from "./trigger-crash-dump.js";
import unlockServer from "./unlock-server.js";
import unpauseServer from "./unpause-server.js";
import unrescueServer from "./unrescue-server.js";
import unshelveServer from "./unshelve-server.js";

/** Everything in this folder, by file name. */
export const operations: readonly OperationDeclaration[] = [
  anyOperation(attachInterface),
  anyOperation(attachVolume),
  anyOperation(bootServer),
  anyOperation(cacheAggregateImages),
  anyOperation(cacheHostImages),
  anyOperation(changeServerPassword),
  anyOperation(confirmServerResize),
  anyOperation(createServerBackup),
  anyOperation(createServerImage),
  anyOperation(deleteServer),
  anyOperation(detachInterface),
  anyOperation(detachVolume),
  anyOperation(extendVolume),
  anyOperation(lockServer),
  anyOperation(migrateServer),
  anyOperation(offloadServer),
  anyOperation(pauseServer),
  anyOperation(rebootServer),
  anyOperation(rebuildServer),
  anyOperation(refreshInterfaces),
  anyOperation(rescueServer),
  anyOperation(resetServerState),
  anyOperation(resizeServer),
  anyOperation(restoreServer),
  anyOperation(resumeServer),
  anyOperation(revertServerResize),
  anyOperation(shelveServer),
  anyOperation(softDeleteServer),
  anyOperation(startServer),
  anyOperation(stopServer),
  anyOperation(suspendServer),
  anyOperation(swapVolume),
  anyOperation(triggerCrashDump),
  anyOperation(unlockServer),
  anyOperation(unpauseServer),
  anyOperation(unrescueServer),
  anyOperation(unshelveServer),
];
