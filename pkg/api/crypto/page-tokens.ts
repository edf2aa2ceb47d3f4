import type { TokenBox } from "./token-box.js";

/**
 * An opaque place in a sorted list: the sort values of the last row shown, bound to what was asked. JSON, so
 * that any text survives.
 */
export const encodePageToken = (box: TokenBox, binding: string, after: readonly string[]): string =>
  box.seal("page", binding, JSON.stringify(after));

/** @throws BAD_PAGE_TOKEN for texts that are no token of ours, or one of another filter or sort */
export const decodePageToken = (box: TokenBox, binding: string, token: string): readonly string[] =>
  JSON.parse(box.open("page", binding, token)) as string[];

/** A list that a store pages by itself: its own token, sealed for what was asked. "" stays "". */
export interface SealedPaging {
  /** What the store gave out. @throws BAD_PAGE_TOKEN */
  open(token: string): string;
  seal(storeToken: string): string;
}

/** @param question  what tokens are bound to: everything that decides which rows there are, in which order */
export function sealedPaging(box: TokenBox, question: readonly unknown[]): SealedPaging {
  // Written out only for lists of several pages.
  const binding = (): string => JSON.stringify(question);
  return {
    open: (token) => (token === "" ? "" : box.open("page", binding(), token)),
    seal: (storeToken) => (storeToken === "" ? "" : box.seal("page", binding(), storeToken)),
  };
}
