import { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import migrateServer from "../../model/operations/migrate-server.js";
import { defineKind } from "../engine/kind.js";
import { moveFailed, moveSteps } from "../steps/move-steps.js";
import type { KindDeps } from "../kind-factory.js";

export default (deps: KindDeps) =>
  defineKind(migrateServer, {
    steps: moveSteps(deps, RequestPurpose.REQUEST_PURPOSE_COLD_MIGRATION),
    failed: moveFailed,
  });
