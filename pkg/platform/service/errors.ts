import { defineErrors } from "../../kernel/index.js";

export const ServiceErrors = defineErrors("service", {
  BAD_FLAG: [
    "invalid",
    (p: { problem: string }) => `${p.problem}\nUsage: [--config <file>] [--set <section>.<option>=<value>]…`,
  ],
  BAD_ADDRESS: [
    "invalid",
    (p: { option: string; address: string; problem: string }) => `${p.option}: "${p.address}" ${p.problem}.`,
  ],
  NO_CERTIFICATE: [
    "invalid",
    (_p: Record<string, never>) =>
      "Services prove who they are with certificates: set rpc.tlsCaFile, rpc.tlsCertFile and rpc.tlsKeyFile (docs/operator/deploying.md).",
  ],
  CERTIFICATE_UNUSABLE: [
    "invalid",
    (p: { files: string; problem: string }) => `The certificate ${p.files} cannot be used: ${p.problem}.`,
  ],
  MIGRATIONS_PENDING: [
    "refused",
    (p: { schema: string; pending: string; service: string }) =>
      `The database schema ${p.schema} is older than this version (missing: ${p.pending}). Run: kilonova manage db migrate ${p.service}`,
  ],
  NO_INSTANCE: [
    "unavailable",
    (p: { service: string }) => `No ${p.service} service is running at this time.`,
  ],
});
