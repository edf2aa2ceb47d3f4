import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { experimental } from "@grpc/grpc-js";
import type { Logger } from "../../kernel/index.js";
import { ServiceErrors } from "./errors.js";

export interface CertificateFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

interface Loaded {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly notAfterMs: number;
}

type CaListener = Parameters<experimental.CertificateProvider["addCaCertificateListener"]>[0];
type IdentityListener = Parameters<experimental.CertificateProvider["addIdentityCertificateListener"]>[0];

/**
 * A certificate with its key and the authorities it trusts, read from files and again when they change:
 * certificates are renewed without a restart. Files that do not fit together (a copy half done) are passed
 * over until they do. (grpc-js's own file watcher would serve nobody meanwhile.)
 */
export class Certificates implements experimental.CertificateProvider {
  readonly #files: CertificateFiles;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #timer: NodeJS.Timeout;
  readonly #log: Logger;
  #loaded: Loaded;

  /** @throws CERTIFICATE_UNUSABLE */
  constructor(files: CertificateFiles, reloadMs: number, log: Logger) {
    this.#files = files;
    this.#log = log;
    try {
      this.#loaded = load(files);
    } catch (error) {
      throw ServiceErrors.CERTIFICATE_UNUSABLE(
        { files: files.certificate, problem: (error as Error).message },
        { cause: error },
      );
    }
    this.#timer = setInterval(() => this.reload(), reloadMs).unref();
  }

  /** End of validity, epoch milliseconds. */
  get notAfterMs(): number {
    return this.#loaded.notAfterMs;
  }

  /** Looks at the files now; connections made from here on use what is new. */
  reload(): void {
    try {
      const next = load(this.#files);
      const { ca, certificate, key } = this.#loaded;
      if (next.ca.equals(ca) && next.certificate.equals(certificate) && next.key.equals(key)) return;
      this.#loaded = next;
      for (const listener of this.#caListeners) this.#tellCa(listener);
      for (const listener of this.#identityListeners) this.#tellIdentity(listener);
      this.#log.info("certificate.reloaded", {
        file: this.#files.certificate,
        notAfter: new Date(next.notAfterMs).toISOString(),
      });
    } catch (error) {
      this.#log.warn("certificate.reload.failed", { file: this.#files.certificate, error });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    process.nextTick(() => this.#tellCa(listener));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => this.#tellIdentity(listener));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #tellCa(listener: CaListener): void {
    listener({ caCertificate: this.#loaded.ca });
  }

  #tellIdentity(listener: IdentityListener): void {
    listener({ certificate: this.#loaded.certificate, privateKey: this.#loaded.key });
  }
}

function load(files: CertificateFiles): Loaded {
  const [ca, certificate, key] = [
    readFileSync(files.ca),
    readFileSync(files.certificate),
    readFileSync(files.key),
  ];
  // Throws when the key is not the certificate's.
  createSecureContext({ ca, cert: certificate, key });
  return { ca, certificate, key, notAfterMs: Date.parse(new X509Certificate(certificate).validTo) };
}
