import { RebootType } from "../../../../../gen/kilonova/api/v1/servers_service.js";
import { textOf } from "../../../http/fields.js";
import { choice, object, required } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

const reboot: ActionBody = {
  key: "reboot",
  body: object([
    required("reboot", object([required("type", choice("HARD", "Hard", "hard", "SOFT", "Soft", "soft"))])),
  ]),
  fields: (request) => {
    const hard = textOf(request.member("reboot"), "type")?.toUpperCase() === "HARD";
    return { type: hard ? RebootType.REBOOT_TYPE_HARD : RebootType.REBOOT_TYPE_SOFT };
  },
};
export default reboot;
