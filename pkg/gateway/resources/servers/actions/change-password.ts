import { textOf } from "../../../http/fields.js";
import { object, required, text } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

const changePassword: ActionBody = {
  key: "changePassword",
  body: object([required("changePassword", object([required("adminPass", text())]))]),
  fields: (request) => ({ adminPassword: textOf(request.member("changePassword"), "adminPass") ?? "" }),
};
export default changePassword;
