import { object, required, text } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const tenant = object([required("tenant", text({ minLength: 1, maxLength: 255 }))]);
export const addAccessBody: Node = object([required("addTenantAccess", tenant)]);
export const removeAccessBody: Node = object([required("removeTenantAccess", tenant)]);
