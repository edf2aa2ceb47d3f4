import type { ChangeServerPasswordRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { present, text } from "../shape/shape.js";
import { action } from "./action.js";

export default action<ChangeServerPasswordRequest>({
  method: "ChangeServerPassword",
  shape: { adminPassword: present(text({ max: 255 })) },
  input: (_ctx, { adminPassword }) => ({ secrets: { adminPassword } }),
});
