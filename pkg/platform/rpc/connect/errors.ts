import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { Status } from "../../../../gen/google/rpc/status.js";
import { asKilonovaError, retryAfterSeconds } from "../../../kernel/index.js";
import type { PublicErrors, Telling } from "../status.js";
import { toWireStatus } from "../status.js";

/** How errors of one call are told. */
export const tellingOf = (
  { publicly }: { readonly publicly: PublicErrors | undefined },
  { requestId }: { readonly requestId: string },
): Telling => ({ publicly, requestId });

/**
 * An error as the Connect library sends it: the code, the text and the details that a gRPC client gets, and
 * `Retry-After` for clients that know HTTP only.
 * @param registry  knows the messages of `google.rpc`: details are then told in JSON too
 */
export function connectErrorOf(thrown: unknown, registry: Registry, telling: Telling = {}): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const { code, message, details } = toWireStatus(thrown, telling);
  // Connect's codes are gRPC's numbers.
  const error = new ConnectError(message, code as Code, undefined, undefined, thrown);
  const retry = retryAfterSeconds(asKilonovaError(thrown));
  if (retry !== undefined) error.metadata.set("retry-after", String(retry));
  error.details = Status.decode(details).details.map(({ typeUrl, value }) => {
    const type = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
    const desc: DescMessage | undefined = registry.getMessage(type);
    return desc ? { desc, value: fromBinary(desc, value) } : { type, value };
  });
  return error;
}

/** The answer to a request that no handler of the library will see. */
export function refusal(
  status: number,
  thrown: unknown,
  registry: Registry,
  telling: Telling = {},
): UniversalServerResponse {
  const bytes = errorToJsonBytes(connectErrorOf(thrown, registry, telling), undefined);
  return {
    status,
    header: new Headers({ "content-type": "application/json", "content-length": String(bytes.length) }),
    body: createAsyncIterable([bytes]),
  };
}
