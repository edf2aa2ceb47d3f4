import * as grpc from "@grpc/grpc-js";
import type { Logger, Peer } from "../../kernel/index.js";
import { peerOfNames } from "../rpc/identity.js";
import { Certificates } from "./certificates.js";
import type { RpcConfig } from "./config.js";
import { ServiceErrors } from "./errors.js";

/**
 * Mutual TLS from the files of the configuration: one identity per process, or per logical host for compute.
 */
export interface Credentials {
  /** For a server that only takes clients with certificates of our authorities. */
  server(host: string): grpc.ServerCredentials;
  /** For channels to `peer`: a server with any other identity is refused, whatever its address. */
  channel(host: string, peer: Peer): grpc.ChannelCredentials;
  /** End of validity of the certificate that ends first, epoch ms. */
  notAfterMs(): number;
  close(): void;
}

/** @param config  `rpc`. @throws NO_CERTIFICATE, CERTIFICATE_UNUSABLE */
export function openCredentials(
  { tlsCaFile, tlsCertFile, tlsKeyFile, tlsReloadMs }: RpcConfig,
  log: Logger,
): Credentials {
  if (!tlsCaFile || !tlsCertFile || !tlsKeyFile) throw ServiceErrors.NO_CERTIFICATE({});
  const opened = new Map<string, Certificates>();
  const of = (host: string): Certificates => {
    const files = {
      ca: tlsCaFile,
      certificate: tlsCertFile.replaceAll("{host}", host),
      key: tlsKeyFile.replaceAll("{host}", host),
    };
    const known = opened.get(files.certificate);
    if (known) return known;
    const certificates = new Certificates(files, tlsReloadMs, log);
    opened.set(files.certificate, certificates);
    return certificates;
  };
  return {
    server: (host) => grpc.experimental.createCertificateProviderServerCredentials(of(host), of(host), true),
    channel: (host, peer) =>
      grpc.experimental.createCertificateProviderChannelCredentials(of(host), of(host), {
        checkServerIdentity: (_name, certificate) => checkIdentity(certificate.subjectaltname, peer),
      }),
    notAfterMs: () => Math.min(...[...opened.values()].map(({ notAfterMs }) => notAfterMs)),
    close: () => {
      for (const certificates of opened.values()) certificates.close();
    },
  };
}

/**
 * Services are told apart by the identity that their certificate names; host names and addresses say nothing.
 */
function checkIdentity(names: string | undefined, wanted: Peer): Error | undefined {
  const found = peerOfNames(names ?? "");
  if (found.service === wanted.service && (wanted.host === "" || found.host === wanted.host))
    return undefined;
  return new Error(
    `wanted ${[wanted.service, wanted.host].filter(Boolean).join("/")}, found a certificate of ${[found.service, found.host].filter(Boolean).join("/") || "nobody"}`,
  );
}
