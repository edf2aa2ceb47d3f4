import type { LockServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { given, text } from "../shape/shape.js";
import { action } from "./action.js";

export default action<LockServerRequest>({
  method: "LockServer",
  shape: { reason: given(text({ max: 255 })) },
  input: (_ctx, { reason = "" }) => ({ input: { reason } }),
});
