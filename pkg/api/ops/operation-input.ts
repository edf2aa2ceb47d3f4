import { sealedFields } from "../sealed-fields.gen.js";

/** An encoder of a request's type. */
export interface RequestType<T> {
  encode(message: T): { finish(): Uint8Array };
  fromPartial(partial: object): T;
}

/** A request as the input of an operation: what may lie in the clear, and what may not. */
export interface OperationInput {
  readonly input: Uint8Array;
  /** Empty when the request has no secret. */
  readonly secrets: Uint8Array;
}

/**
 * Takes the secrets of a request apart, so that none of them is stored in the clear. Both halves are encoded
 * as the request itself; which fields are secret is said by `debug_redact` in the contract.
 * @param method  the RPC's name, such as "RebuildServer"
 */
export function operationInput<T extends object>(
  method: string,
  type: RequestType<T>,
  request: T,
): OperationInput {
  const secret = new Set(sealedFields.get(`${method}Request`) ?? []);
  const half = (wanted: boolean): Uint8Array =>
    type
      .encode(
        type.fromPartial(
          Object.fromEntries(Object.entries(request).filter(([field]) => secret.has(field) === wanted)),
        ),
      )
      .finish();
  return { input: half(false), secrets: half(true) };
}
