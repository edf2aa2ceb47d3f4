import { TaskState } from "../../model/instance-states.js";
import shelveServer, { SHELVE_ON_VOLUMES } from "../../model/operations/shelve-server.js";
import { defineKind } from "../engine/kind.js";
import { awaitLanes } from "../steps/await-lanes.js";
import { keepsItsState } from "../steps/guest-step.js";
import { disconnectHost, leaveHost, removeGuest } from "../steps/leave-host.js";
import { shutDown } from "../steps/shelve-guest.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * There is no disk of which an image could be made: it leaves its host at once. As in Nova, that is one
 * event, and a shelving to its end.
 */
export default ({ ports }: KindDeps) =>
  defineKind(shelveServer, {
    version: SHELVE_ON_VOLUMES,
    steps: [
      awaitLanes(ports),
      shutDown(ports, ""),
      removeGuest(ports, TaskState.shelving),
      disconnectHost(ports),
      leaveHost(ports),
    ],
    failed: keepsItsState,
  });
