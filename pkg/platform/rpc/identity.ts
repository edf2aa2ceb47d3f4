import type { Peer } from "../../kernel/index.js";
import { noPeer } from "../../kernel/index.js";

const SPIFFE_LIKE = /URI:kilonova:\/\/([^/,\s]+)\/([^/,\s]+)(?:\/([^/,\s]+))?/;

/**
 * The peer that a client certificate names: `kilonova://<cell>/<service>[/<host>]` in its subject alternative
 * names.
 * @returns nobody when there is no certificate, so that every method but those for `anyone` is refused
 */
export function peerOfCertificate(call: {
  getAuthContext(): { sslPeerCertificate?: { subjectaltname?: string | undefined } | undefined };
}): Peer {
  return peerOfNames(call.getAuthContext().sslPeerCertificate?.subjectaltname ?? "");
}

/** The peer in a certificate's subject alternative names, as Node prints them. */
export function peerOfNames(names: string): Peer {
  const match = SPIFFE_LIKE.exec(names);
  return match ? { cell: match[1] ?? "", service: match[2] ?? "", host: match[3] ?? "" } : noPeer;
}
