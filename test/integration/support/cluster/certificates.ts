import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = (args: readonly string[]): Promise<unknown> => promisify(execFile)("openssl", [...args]);
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

export interface Pem {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** An authority in a folder; the commands are those of docs/operator/deploying.md. */
export interface Authority {
  readonly ca: string;
  /**
   * @param identity `cell1/compute/host-1` → URI kilonova://cell1/compute/host-1. @param file name of its
   *   files, without ending
   */
  issue(identity: string, file: string): Promise<Pem>;
}

export async function createAuthority(dir: string, name = "ca"): Promise<Authority> {
  const [ca, caKey] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  await openssl([
    "req",
    "-x509",
    ...KEY,
    "-days",
    "2",
    "-subj",
    `/CN=Kilonova test ${name}`,
    "-keyout",
    caKey,
    "-out",
    ca,
  ]);
  return {
    ca,
    issue: async (identity, file) => {
      const [certificate, key] = [join(dir, `${file}.crt`), join(dir, `${file}.key`)];
      await openssl([
        "req",
        "-x509",
        "-CA",
        ca,
        "-CAkey",
        caKey,
        ...KEY,
        "-days",
        "2",
        "-subj",
        `/CN=${file}`,
        "-addext",
        `subjectAltName=URI:kilonova://${identity}`,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "extendedKeyUsage=serverAuth,clientAuth",
        "-keyout",
        key,
        "-out",
        certificate,
      ]);
      return { ca, certificate, key };
    },
  };
}
