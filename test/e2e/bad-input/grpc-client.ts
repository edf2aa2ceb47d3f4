import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "../../../gen/google/rpc/error_details.js";
import { Status } from "../../../gen/google/rpc/status.js";

/** How a call ended, in the terms of google.rpc.Status. */
export interface Outcome {
  /** `OK`, `INVALID_ARGUMENT`, … */
  readonly code: string;
  readonly message: string;
  /** Of ErrorInfo; "" when the status has none. */
  readonly reason: string;
  readonly domain: string;
  readonly facts: ReadonlyMap<string, string>;
  readonly fields: readonly string[];
  /** Everything readable that came back, answer or status. */
  readonly text: string;
  readonly durationMs: number;
}

const PATIENCE_MS = 60_000;
const pass = (bytes: Buffer): Buffer => bytes;

/** The public gRPC port, for bytes of any kind. */
export class GrpcClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": 64 << 20,
      "grpc.max_send_message_length": 64 << 20,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** One call; of a stream only its beginning. Never rejects. */
  call(
    path: string,
    request: Buffer,
    metadata: Readonly<Record<string, string>>,
    streaming = false,
  ): Promise<Outcome> {
    const startedMs = performance.now();
    const sent = new Metadata();
    for (const [name, value] of Object.entries(metadata))
      sent.set(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
    const options = { deadline: Date.now() + PATIENCE_MS };
    return new Promise((resolve) => {
      const finish = (error: ServiceError | null, answer?: Buffer): void =>
        resolve({ ...outcomeOf(error, answer), durationMs: performance.now() - startedMs });
      if (!streaming) {
        this.#client.makeUnaryRequest(path, pass, pass, request, sent, options, finish);
        return;
      }
      const call = this.#client.makeServerStreamRequest(path, pass, pass, request, sent, options);
      call.once("data", (answer: Buffer) => {
        finish(null, answer);
        call.cancel();
      });
      call.on("error", finish);
      call.once("end", () => finish(null));
    });
  }
}

function outcomeOf(error: ServiceError | null, answer: Buffer | undefined): Omit<Outcome, "durationMs"> {
  if (error === null)
    return {
      code: "OK",
      message: "",
      reason: "",
      domain: "",
      facts: new Map(),
      fields: [],
      text: answer?.toString("latin1") ?? "",
    };
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const { details } = Buffer.isBuffer(bytes) ? Status.decode(bytes) : Status.fromPartial({});
  const of = (type: string): Uint8Array | undefined =>
    details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${type}`)?.value;
  const info = ErrorInfo.decode(of("ErrorInfo") ?? new Uint8Array());
  const fields = BadRequest.decode(of("BadRequest") ?? new Uint8Array()).fieldViolations.map(
    ({ field }) => field,
  );
  return {
    code: status[error.code] ?? String(error.code),
    message: error.details,
    reason: info.reason,
    domain: info.domain,
    facts: info.metadata,
    fields,
    text: `${error.details} ${[...info.metadata.values()].join(" ")}`,
  };
}
