// Written by scripts/gen-registries.mjs from the files in pkg/model/operations. Do not edit.
import type { OperationDeclaration } from "../operation-declaration.js";
import { anyOperation } from "../operation-declaration.js";
import bootServer from "./boot-server.js";
import cacheAggregateImages from "./cache-aggregate-images.js";
import cacheHostImages from "./cache-host-images.js";
import changeServerPassword from "./change-server-password.js";
import deleteServer from "./delete-server.js";
import lockServer from "./lock-server.js";
import pauseServer from "./pause-server.js";
import rebootServer from "./reboot-server.js";
import rescueServer from "./rescue-server.js";
import startServer from "./start-server.js";
import stopServer from "./stop-server.js";
import unlockServer from "./unlock-server.js";
import unpauseServer from "./unpause-server.js";
import unrescueServer from "./unrescue-server.js";

/** Everything in this folder, by file name. */
export const operations: readonly OperationDeclaration[] = [
  anyOperation(bootServer),
  anyOperation(cacheAggregateImages),
  anyOperation(cacheHostImages),
  anyOperation(changeServerPassword),
  anyOperation(deleteServer),
  anyOperation(lockServer),
  anyOperation(pauseServer),
  anyOperation(rebootServer),
  anyOperation(rescueServer),
  anyOperation(startServer),
  anyOperation(stopServer),
  anyOperation(unlockServer),
  anyOperation(unpauseServer),
  anyOperation(unrescueServer),
];
