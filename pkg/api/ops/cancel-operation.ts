import type {
  CancelOperationRequest,
  CancelOperationResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { id } from "../shape/common.js";
import { catalogue } from "../../model/operation-catalogue.js";
import { CommonErrors } from "../../kernel/index.js";
import type { About, Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { presentOperation } from "../../model/operation-view.js";
import type { TheOperation } from "./read-operation.js";
import { theOperation } from "./read-operation.js";

/**
 * Whoever may begin an operation may end it: the kind's rule is asked about the server's owner, whoever began
 * it; with a host or the cloud it is about nobody's project.
 * @throws OPERATION_NOT_FOUND; UNIMPLEMENTED for a kind that this version does not know
 */
const toBegin =
  (parts: Parts): About<CancelOperationRequest, TheOperation> =>
  async (ctx, request) => {
    const found = await theOperation(parts)(ctx, request);
    const declaration = catalogue.find(found.operation.kind);
    if (declaration === undefined)
      throw CommonErrors.UNIMPLEMENTED({ what: `Cancelling operations of kind ${found.operation.kind}` });
    const { serverId } = found.operation;
    const { owner } =
      serverId === undefined ? found : await parts.servers.about({ withDeleted: true })(ctx, { serverId });
    return { ...found, owner, decides: declaration.rule };
  };

/** Asks for cancellation; an operation that is done stays as it is. */
export const cancelOperation = (parts: Parts): Guarded<CancelOperationRequest, CancelOperationResponse> =>
  guarded({ name: id }, toBegin(parts), async (ctx, { name }, { operation: before }) => {
    if (before.done) return { operation: before };
    const { operation } = await parts.operations.requestCancel(ctx, { database: "", name });
    return { operation: operation === undefined ? before : presentOperation(operation) };
  });
