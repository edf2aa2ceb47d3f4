import type { RebootServerRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { RebootType } from "../../../gen/kilonova/api/v1/servers_service.js";
import { oneOf } from "../shape/shape.js";
import { action } from "./action.js";

/** Soft unless told otherwise. */
export default action<RebootServerRequest>({
  method: "RebootServer",
  shape: { type: oneOf(RebootType) },
  input: (_ctx, { type }) => ({ input: { hard: type === RebootType.REBOOT_TYPE_HARD } }),
});
