import { isMessage } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import type { Caller } from "./calls.js";
import type { Operation } from "./messages.gen.js";
import { OperationSchema } from "./messages.gen.js";
import type { Outcome, WaitOptions } from "./operations.js";
import { PendingOperation } from "./operations.js";

/** A message, or an operation that can be waited for. */
export type Item<T> = T extends Operation ? PendingOperation : T;

/** An answer whose operations can be waited for. */
export type Answer<M> = {
  [K in keyof M as K extends "$typeName" | "$unknown" ? never : K]: M[K] extends Operation | undefined
    ? PendingOperation | Extract<M[K], undefined>
    : M[K] extends Operation[]
      ? PendingOperation[]
      : M[K];
};

/** A call that starts slow work: a promise of the answer that says that it was accepted. */
export interface Started<M> extends Promise<Answer<M>> {
  /**
   * The answer, once everything that it has started has come to its good end.
   *
   * @throws OperationFailed for the first that does not
   */
  finished(options?: WaitOptions): Promise<Answer<M>>;
  /** The result of the operation that it has started, or of the first one. @throws as `finished` */
  result(options?: WaitOptions): Promise<Outcome>;
}

/** @returns operations as PendingOperation, everything else as it is */
export function itemOf<T>(caller: Caller, value: T): Item<T> {
  return (isMessage(value, OperationSchema) ? new PendingOperation(caller, value) : value) as Item<T>;
}

/** Lets the operations of an answer be waited for. */
export function started<M extends Message>(caller: Caller, call: Promise<M>): Started<M> {
  const answer = call.then((message) => {
    const fields = Object.entries(message).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? value.map((one: unknown) => itemOf(caller, one)) : itemOf(caller, value),
    ]);
    return Object.fromEntries(fields) as Answer<M>;
  });
  const results = async (options?: WaitOptions): Promise<Outcome[]> => {
    const operations = Object.values(await answer)
      .flat()
      .filter((one) => one instanceof PendingOperation);
    return Promise.all(operations.map((one) => one.result(options)));
  };
  return Object.assign(answer, {
    finished: async (options?: WaitOptions) => {
      await results(options);
      return answer;
    },
    result: async (options?: WaitOptions) => (await results(options))[0] as Outcome,
  });
}
