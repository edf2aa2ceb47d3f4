import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CallOptions, ChannelCredentials, ServiceError } from "@grpc/grpc-js";
import { Client, Metadata, status } from "@grpc/grpc-js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";

const OPTIONS = {
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  // A cloud that was restarted is found again soon.
  "grpc.initial_reconnect_backoff_ms": 200,
  "grpc.max_reconnect_backoff_ms": 5_000,
  "grpc.keepalive_time_ms": 60_000,
};

/** A transport that can be closed. */
export interface ClosableTransport extends Transport {
  close(): void;
}

/**
 * Connect's transport over grpc-js: messages of protobuf-es, errors as ConnectError with their details.
 *
 * @param address  "host:port"
 */
export function createGrpcTransport(address: string, credentials: ChannelCredentials): ClosableTransport {
  const client = new Client(address, credentials, OPTIONS);
  return {
    unary: (method, signal, timeoutMs, header, input) =>
      new Promise((resolve, reject) => {
        let headers = new Metadata();
        const call = client.makeUnaryRequest(
          pathOf(method),
          (bytes: Buffer) => bytes,
          (bytes) => bytes,
          encode(method.input, input),
          metadataOf(header),
          deadlineOf(timeoutMs),
          (error, answer) => {
            signal?.removeEventListener("abort", cancel);
            if (error !== null) return reject(errorFrom(error, headers));
            const message = fromBinary(method.output, answer ?? new Uint8Array());
            resolve({
              stream: false,
              service: method.parent,
              method,
              header: headersOf(headers),
              trailer: new Headers(),
              message,
            });
          },
        );
        call.once("metadata", (metadata: Metadata) => (headers = metadata));
        const cancel = (): void => call.cancel();
        if (signal?.aborted === true) cancel();
        signal?.addEventListener("abort", cancel, { once: true });
      }),
    async stream(method, signal, timeoutMs, header, input) {
      // All streams of the contract take one request.
      const { value } = await input[Symbol.asyncIterator]().next();
      const call = client.makeServerStreamRequest(
        pathOf(method),
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        encode(method.input, value as MessageInitShape<typeof method.input>),
        metadataOf(header),
        deadlineOf(timeoutMs),
      );
      let headers = new Metadata();
      call.once("metadata", (metadata: Metadata) => (headers = metadata));
      const cancel = (): void => call.cancel();
      if (signal?.aborted === true) cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      async function* messages() {
        try {
          for await (const bytes of call) yield fromBinary(method.output, bytes as Buffer);
        } catch (error) {
          throw isServiceError(error) ? errorFrom(error, headers) : error;
        } finally {
          signal?.removeEventListener("abort", cancel);
          call.cancel();
        }
      }
      return {
        stream: true,
        service: method.parent,
        method,
        header: new Headers(),
        trailer: new Headers(),
        message: messages(),
      };
    },
    close: () => client.close(),
  };
}

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

const encode = <I extends DescMessage>(schema: I, init: MessageInitShape<I>): Buffer => {
  const bytes = toBinary(schema, create(schema, init));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

const deadlineOf = (timeoutMs: number | undefined): CallOptions =>
  timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };

function metadataOf(header: ConstructorParameters<typeof Headers>[0]): Metadata {
  const metadata = new Metadata();
  new Headers(header).forEach((value, name) => metadata.set(name, value));
  return metadata;
}

function headersOf(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(metadata.getMap()))
    if (typeof value === "string") headers.set(name, value);
  return headers;
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && "code" in error && "metadata" in error;

function errorFrom(error: ServiceError, headers: Metadata): ConnectError {
  const seen = headersOf(headers);
  headersOf(error.metadata).forEach((value, name) => seen.set(name, value));
  // The two number the codes alike.
  const code = error.code === status.OK ? Code.Unknown : (error.code as number as Code);
  const made = new ConnectError(error.details, code, seen, undefined, error);
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (bytes instanceof Uint8Array)
    made.details = fromBinary(StatusSchema, bytes).details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
  return made;
}
