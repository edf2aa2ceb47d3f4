import { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import resizeServer from "../../model/operations/resize-server.js";
import { defineKind } from "../engine/kind.js";
import { moveFailed, moveSteps } from "../steps/move-steps.js";
import type { KindDeps } from "../kind-factory.js";

export default (deps: KindDeps) =>
  defineKind(resizeServer, {
    steps: moveSteps(deps, RequestPurpose.REQUEST_PURPOSE_RESIZE),
    failed: moveFailed,
  });
