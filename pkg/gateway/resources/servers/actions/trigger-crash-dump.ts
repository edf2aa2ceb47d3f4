import { nothing, object, required } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

const KEY = "trigger_crash_dump";

const triggerCrashDump: ActionBody = {
  key: KEY,
  body: object([required(KEY, nothing)]),
  fields: () => ({}),
};
export default triggerCrashDump;
