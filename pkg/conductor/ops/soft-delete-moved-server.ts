import softDeleteServer, { SOFT_DELETE_MOVED } from "../../model/operations/soft-delete-server.js";
import { defineKind } from "../engine/kind.js";
import { confirmMoves } from "../steps/confirm-moves.js";
import { endAtOnce } from "../steps/end-at-once.js";
import { keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(softDeleteServer, {
    version: SOFT_DELETE_MOVED,
    steps: [confirmMoves(ports), endAtOnce(ports)],
    failed: keepsItsState,
  });
