import type { Registry } from "@bufbuild/protobuf";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { createAsyncIterable, encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamFromJson,
  endStreamToJson,
  errorFromJsonBytes,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { RpcErrors } from "../errors.js";
import type { Telling } from "../status.js";
import { connectErrorOf } from "./errors.js";

/** What the library calls internal, though the caller sent it. */
const ABOUT_REQUEST = /^(parse binary|received compressed envelope)/;
const unreadable = new ConnectError("unreadable", Code.Unknown);

/**
 * The library's answer, with the errors that the library found by itself told as ours are: all of them say
 * that the request is malformed. Ours are known by their details.
 */
export async function explained(
  response: UniversalServerResponse,
  { method, streaming }: { readonly method: string; readonly streaming: boolean },
  registry: Registry,
  telling: Telling,
): Promise<UniversalServerResponse> {
  if (response.body === undefined) return response;
  const explain = (error: ConnectError): ConnectError =>
    error.details.length > 0 || (error.code === Code.Internal && !ABOUT_REQUEST.test(error.rawMessage))
      ? error
      : connectErrorOf(RpcErrors.REQUEST_MALFORMED({ method, problem: error.rawMessage }), registry, telling);
  if (streaming) return { ...response, body: explainedEnd(response.body, explain) };
  if (response.status === 200) return response;
  const parts: Uint8Array[] = [];
  for await (const part of response.body) parts.push(part);
  const error = explain(errorFromJsonBytes(Buffer.concat(parts), undefined, unreadable));
  const bytes = errorToJsonBytes(error, undefined);
  const header = new Headers(response.header);
  header.set("content-length", String(bytes.length));
  return { status: codeToHttpStatus(error.code), header, body: createAsyncIterable([bytes]) };
}

/** The library hands out one envelope at a time; the last one tells the error. */
async function* explainedEnd(
  body: AsyncIterable<Uint8Array>,
  explain: (error: ConnectError) => ConnectError,
): AsyncGenerator<Uint8Array> {
  for await (const envelope of body) {
    if (((envelope[0] ?? 0) & endStreamFlag) === 0) yield envelope;
    else {
      const { metadata, error } = endStreamFromJson(envelope.subarray(5));
      yield error === undefined
        ? envelope
        : encodeEnvelope(
            endStreamFlag,
            Buffer.from(JSON.stringify(endStreamToJson(metadata, explain(error), undefined))),
          );
    }
  }
}
