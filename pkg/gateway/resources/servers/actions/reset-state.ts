import { VmState } from "../../../../../gen/kilonova/type/v1/server.js";
import { textOf } from "../../../http/fields.js";
import { choice, object, required } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

const resetState: ActionBody = {
  key: "os-resetState",
  body: object([required("os-resetState", object([required("state", choice("active", "error"))]))]),
  fields: (request) => {
    const isActive = textOf(request.member("os-resetState"), "state") === "active";
    return { vmState: isActive ? VmState.VM_STATE_ACTIVE : VmState.VM_STATE_ERROR };
  },
};
export default resetState;
