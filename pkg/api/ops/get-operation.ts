import type {
  GetOperationRequest,
  GetOperationResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { readOperation } from "./read-operation.js";

export const getOperation = (parts: Parts): Unary<GetOperationRequest, GetOperationResponse> =>
  checked<GetOperationRequest, GetOperationResponse>({ name: id }, async (ctx, { name }) => ({
    operation: await readOperation(parts, ctx, name),
  }));
