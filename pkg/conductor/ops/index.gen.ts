// Written by scripts/gen-registries.mjs from the files in pkg/conductor/ops. Do not edit.
import type { KindFactory } from "../kind-factory.js";
import bootServer from "./boot-server.js";
import cacheAggregateImages from "./cache-aggregate-images.js";
import cacheHostImages from "./cache-host-images.js";
import changeServerPassword from "./change-server-password.js";
import deleteServer from "./delete-server.js";
import pauseServer from "./pause-server.js";
import rebootServer from "./reboot-server.js";
import rescueServer from "./rescue-server.js";
import startServer from "./start-server.js";
import stopServer from "./stop-server.js";
import unpauseServer from "./unpause-server.js";
import unrescueServer from "./unrescue-server.js";

/** Everything in this folder, by file name. */
export const kindFactories: readonly KindFactory[] = [
  bootServer,
  cacheAggregateImages,
  cacheHostImages,
  changeServerPassword,
  deleteServer,
  pauseServer,
  rebootServer,
  rescueServer,
  startServer,
  stopServer,
  unpauseServer,
  unrescueServer,
];
