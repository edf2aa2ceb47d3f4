import { textOf } from "../../../http/fields.js";
import { choice, object, optional, required } from "../../../schema/nodes.js";
import { diskConfigOf } from "../create-request.js";
import { flavorRef } from "../schemas.js";
import type { ActionBody } from "./action.js";

/** The flavor's id as it is: unlike a creation's, it is no address. */
const resize: ActionBody = {
  key: "resize",
  body: object([
    required(
      "resize",
      object([required("flavorRef", flavorRef), optional("OS-DCF:diskConfig", choice("AUTO", "MANUAL"))]),
    ),
  ]),
  fields: (request) => {
    const body = request.member("resize");
    return { flavorId: textOf(body, "flavorRef") ?? "", diskConfig: diskConfigOf(body) };
  },
};
export default resize;
