import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { credentials } from "@grpc/grpc-js";
import type { Fetch } from "../auth/session.js";
import type { TlsConfig } from "./clouds-yaml.js";

/** The files' contents. */
function contentsOf({ cacert, cert, key }: TlsConfig) {
  return {
    ca: cacert === undefined ? undefined : readFileSync(cacert),
    cert: cert === undefined ? undefined : readFileSync(cert),
    key: cert === undefined ? undefined : readFileSync(key ?? cert),
  };
}

/** For gRPC to an address of the catalog: TLS when that says `https`. */
export function channelCredentials(url: URL, tls: TlsConfig): ChannelCredentials {
  if (url.protocol !== "https:") return credentials.createInsecure();
  const { ca, cert, key } = contentsOf(tls);
  return credentials.createSsl(ca ?? null, key ?? null, cert ?? null, { rejectUnauthorized: tls.verify });
}

/** A `fetch` that trusts whom the cloud's configuration says: the one of Node.js cannot be told. */
export function fetchWith(tls: TlsConfig): Fetch {
  const { ca, cert, key } = contentsOf(tls);
  return (url, { method = "GET", headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const secure = url.startsWith("https:");
      const options = { method, headers, signal };
      const request = secure
        ? httpsRequest(url, { ...options, ca, cert, key, rejectUnauthorized: tls.verify })
        : httpRequest(url, options);
      request.once("error", reject);
      request.once("response", (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.once("error", reject);
        answer.once("end", () => {
          const status = answer.statusCode ?? 500;
          const pairs = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          );
          const bare = status === 204 || status === 205 || status === 304;
          resolve(new Response(bare ? null : Buffer.concat(parts), { status, headers: pairs }));
        });
      });
      request.end(body);
    });
}
