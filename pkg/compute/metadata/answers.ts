import { STATUS_CODES } from "node:http";

/** An HTTP answer in full; fits the switch's `MetadataResponse`. */
export interface MetadataAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A short text answer; the status' own phrase when no text is given. */
export const plain = (status: number, text = `${status} ${STATUS_CODES[status] ?? ""}`): MetadataAnswer => ({
  status,
  headers: { "content-type": "text/plain; charset=UTF-8" },
  body: new TextEncoder().encode(text),
});
