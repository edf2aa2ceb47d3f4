import softDeleteServer from "../../model/operations/soft-delete-server.js";
import { defineKind } from "../engine/kind.js";
import { endAtOnce } from "../steps/end-at-once.js";
import { keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

/** As it was before servers moved. */
export default ({ ports }: KindDeps) =>
  defineKind(softDeleteServer, { version: 1, steps: [endAtOnce(ports)], failed: keepsItsState });
