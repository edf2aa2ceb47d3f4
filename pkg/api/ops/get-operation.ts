import type {
  GetOperationRequest,
  GetOperationResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { theOperation } from "./read-operation.js";

export const getOperation = (parts: Parts): Guarded<GetOperationRequest, GetOperationResponse> =>
  guarded({ name: id }, theOperation(parts), async (_ctx, _request, { operation }) => ({
    operation,
  }));
