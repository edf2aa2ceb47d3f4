import offloadServer from "../../model/operations/offload-server.js";
import { defineKind } from "../engine/kind.js";
import { awaitLanes } from "../steps/await-lanes.js";
import { keepsItsState } from "../steps/guest-step.js";
import { disconnectHost, leaveHost, reachHost, removeGuest } from "../steps/leave-host.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(offloadServer, {
    steps: [awaitLanes(ports), reachHost(ports), removeGuest(ports), disconnectHost(ports), leaveHost(ports)],
    failed: keepsItsState,
  });
