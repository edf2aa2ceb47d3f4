import type { OperationStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Client } from "../../platform/rpc/index.js";

/** Where operations are kept: cells, as seen from here. */
export type OperationStore = Client<typeof OperationStoreServiceDefinition>;
