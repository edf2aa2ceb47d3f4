import type {
  CancelOperationRequest,
  CancelOperationResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { presentOperation } from "../view/operation-view.js";
import { readOperation } from "./read-operation.js";

/**
 * Asks for cancellation. Whoever may delete the server may cancel what is done to it; an operation that is
 * done stays as it is.
 */
export const cancelOperation = (parts: Parts): Unary<CancelOperationRequest, CancelOperationResponse> =>
  checked<CancelOperationRequest, CancelOperationResponse>({ name: id }, async (ctx, { name }) => {
    const before = await readOperation(parts, ctx, name, "os_compute_api:servers:delete");
    if (before.done) return { operation: before };
    const { operation } = await parts.operations.requestCancel(ctx, { database: "", name });
    return { operation: operation === undefined ? before : presentOperation(operation) };
  });
