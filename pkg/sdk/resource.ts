import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Item, Started } from "./answers.js";
import { itemOf, started } from "./answers.js";
import type { CallOptions, Caller } from "./calls.js";
import { Pages } from "./pages.js";
import type { WatchOptions } from "./watch.js";
import { Watch } from "./watch.js";

/** What the generated classes have in common; below, what their methods do: one function for each manner. */
export abstract class Resource {
  protected readonly caller: Caller;

  constructor(caller: Caller) {
    this.caller = caller;
  }
}

/** A plain call. */
export const ask = <I extends DescMessage, O extends DescMessage>(
  caller: Caller,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: CallOptions,
): Promise<MessageShape<O>> => caller.unary(method, request, options);

/** A call that starts operations. */
export const begin = <I extends DescMessage, O extends DescMessage>(
  caller: Caller,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: CallOptions,
): Started<MessageShape<O>> => started(caller, caller.unary(method, request, options));

/**
 * A list in pages.
 *
 * @param items  the field with a page's rows
 */
export function pages<
  I extends DescMessage,
  O extends DescMessage,
  K extends keyof MessageShape<O>,
  T extends (MessageShape<O>[K] extends readonly (infer Row)[] ? Row : never),
>(
  caller: Caller,
  method: DescMethodUnary<I, O>,
  items: K,
  request: MessageInitShape<I>,
  options: CallOptions,
): Pages<Item<T>, MessageShape<O> & { nextPageToken: string }> {
  type Page = MessageShape<O> & { nextPageToken: string };
  return new Pages<Item<T>, Page>(
    async (pageToken) => {
      const asked = pageToken === undefined ? request : ({ ...request, pageToken } as MessageInitShape<I>);
      return (await caller.unary(method, asked, options)) as Page;
    },
    (page) => (page[items] as readonly T[]).map((row) => itemOf(caller, row)),
  );
}

/** A stream that goes on over breaks. */
export const follow = <I extends DescMessage, O extends DescMessage>(
  caller: Caller,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  options: WatchOptions,
): Watch<MessageShape<O>> =>
  new Watch<MessageShape<O>>(
    (resumeToken, signal) =>
      caller.stream(
        method,
        (resumeToken === undefined ? request : { ...request, resumeToken }) as MessageInitShape<I>,
        signal,
      ),
    caller.backoff,
    options,
  );
