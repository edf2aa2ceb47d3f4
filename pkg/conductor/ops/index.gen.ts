// Written by scripts/gen-registries.mjs from the files in pkg/conductor/ops. Do not edit.
import type { KindFactory } from "../kind-factory.js";
import attachInterface from "./attach-interface.js";
import attachVolumeOffloaded from "./attach-volume-offloaded.js";
import attachVolume from "./attach-volume.js";
import bootServerWithVolumes from "./boot-server-with-volumes.js";
import bootServer from "./boot-server.js";
import cacheAggregateImages from "./cache-aggregate-images.js";
import cacheHostImages from "./cache-host-images.js";
import changeServerPassword from "./change-server-password.js";
import confirmServerResize from "./confirm-server-resize.js";
import createServerBackup from "./create-server-backup.js";
import createServerImageOfVolumes from "./create-server-image-of-volumes.js";
import createServerImage from "./create-server-image.js";
import deleteServer from "./delete-server.js";
import detachInterface from "./detach-interface.js";
import detachVolumeOffloaded from "./detach-volume-offloaded.js";
import detachVolume from "./detach-volume.js";
import extendVolume from "./extend-volume.js";
import migrateServer from "./migrate-server.js";
import offloadServer from "./offload-server.js";
import pauseServer from "./pause-server.js";
import rebootServer from "./reboot-server.js";
import rebuildServerByReimage from "./rebuild-server-by-reimage.js";
import rebuildServer from "./rebuild-server.js";
import refreshInterfaces from "./refresh-interfaces.js";
import rescueServer from "./rescue-server.js";
import resizeServer from "./resize-server.js";
import restoreServer from "./restore-server.js";
import resumeServer from "./resume-server.js";
import revertServerResize from "./revert-server-resize.js";
import shelveServerOnVolumes from "./shelve-server-on-volumes.js";
import shelveServer from "./shelve-server.js";
import softDeleteMovedServer from "./soft-delete-moved-server.js";
import softDeleteServer from "./soft-delete-server.js";
import startServer from "./start-server.js";
import stopServer from "./stop-server.js";
import suspendServer from "./suspend-server.js";
import swapVolume from "./swap-volume.js";
import triggerCrashDump from "./trigger-crash-dump.js";
import unpauseServer from "./unpause-server.js";
import unrescueServer from "./unrescue-server.js";
import unshelveOffloadedServer from "./unshelve-offloaded-server.js";
import unshelveServer from "./unshelve-server.js";

/** Everything in this folder, by file name. */
export const kindFactories: readonly KindFactory[] = [
  attachInterface,
  attachVolumeOffloaded,
  attachVolume,
  bootServerWithVolumes,
  bootServer,
  cacheAggregateImages,
  cacheHostImages,
  changeServerPassword,
  confirmServerResize,
  createServerBackup,
  createServerImageOfVolumes,
  createServerImage,
  deleteServer,
  detachInterface,
  detachVolumeOffloaded,
  detachVolume,
  extendVolume,
  migrateServer,
  offloadServer,
  pauseServer,
  rebootServer,
  rebuildServerByReimage,
  rebuildServer,
  refreshInterfaces,
  rescueServer,
  resizeServer,
  restoreServer,
  resumeServer,
  revertServerResize,
  shelveServerOnVolumes,
  shelveServer,
  softDeleteMovedServer,
  softDeleteServer,
  startServer,
  stopServer,
  suspendServer,
  swapVolume,
  triggerCrashDump,
  unpauseServer,
  unrescueServer,
  unshelveOffloadedServer,
  unshelveServer,
];
