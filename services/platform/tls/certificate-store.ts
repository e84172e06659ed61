import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions, Server } from 'node:tls';
import type { X509Certificate } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { parseCertificate } from './inspect.ts';
import { readIdentity, readPem } from './identity-files.ts';
import type { IdentityFiles } from './identity-files.ts';

export type CertificateStoreOptions = IdentityFiles & {
  /** Certificates of the authorities whose peers are accepted. */
  readonly authorityFiles: readonly string[];
  /** Told when changed files cannot be used; the last good ones stay in use. */
  readonly onProblem: (error: unknown) => void;
  /** Looks at the files this often beside watching them, for file systems that do not tell. */
  readonly pollMs?: number | undefined;
};

/** One consistent reading of the files. */
export type Credentials = {
  /** For `tls.connect({ secureContext })`. */
  readonly context: SecureContext;
  /** For `tls.createServer({ ...options, requestCert: true })`. */
  readonly options: SecureContextOptions;
  readonly certificate: X509Certificate;
  readonly authorities: readonly X509Certificate[];
};

/**
 * The newest usable key, certificate and authorities of one program. Files that change are taken up while it
 * runs: servers present them to the next connection, clients to the next dial; open connections go on.
 *
 * Invariant: `current` is always a key and a certificate that belong together; a bad or half-written set of files
 * never replaces a good one.
 */
export class CertificateStore implements AsyncDisposable {
  readonly #options: CertificateStoreOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #listeners = new Set<(credentials: Credentials) => void>();
  #current: Credentials;
  #digest: string;
  #reloading: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  private constructor(options: CertificateStoreOptions, { digest, credentials }: Loaded) {
    this.#options = options;
    this.#current = credentials;
    this.#digest = digest;
  }

  /** @throws TLS_FILE_UNREADABLE, TLS_CERTIFICATE_INVALID */
  static async open(options: CertificateStoreOptions): Promise<CertificateStore> {
    const store = new CertificateStore(options, await load(options));
    store.#watch();
    await store.reload();
    return store;
  }

  get current(): Credentials {
    return this.#current;
  }

  /** Calls `listener` with every newer set, until disposed. */
  onChange(listener: (credentials: Credentials) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Lets `server` present and demand the newest certificates, until disposed. */
  attach(server: Server): Disposable {
    return this.onChange(({ options }) => server.setSecureContext(options));
  }

  /** Looks at the files now; resolves when what they hold is in use, or was refused. */
  reload(): Promise<void> {
    this.#waiting ??= this.#reloading.then(() => {
      this.#waiting = undefined;
      return this.#reloadOnce();
    });
    this.#reloading = this.#waiting;
    return this.#reloading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#stack.disposeAsync();
    await this.#reloading;
  }

  #watch(): void {
    const { keyFile, certificateFile, authorityFiles, pollMs = 60_000 } = this.#options;
    const directories = new Set([keyFile, certificateFile, ...authorityFiles].map((path) => dirname(path)));
    for (const directory of directories) {
      const watcher = watch(directory, { persistent: false }, () => void this.reload());
      watcher.on('error', this.#options.onProblem);
      this.#stack.defer(() => watcher.close());
    }
    const poll = setInterval(() => void this.reload(), pollMs).unref();
    this.#stack.defer(() => clearInterval(poll));
  }

  async #reloadOnce(): Promise<void> {
    try {
      const { digest, credentials } = await load(this.#options);
      if (digest === this.#digest) return;
      this.#digest = digest;
      this.#current = credentials;
      for (const listener of this.#listeners) listener(credentials);
    } catch (error) {
      this.#options.onProblem(error);
    }
  }
}

type Loaded = { readonly digest: string; readonly credentials: Credentials };

async function load(options: CertificateStoreOptions): Promise<Loaded> {
  const { certificatePem, privateKeyPem } = await readIdentity(options);
  const authorityPems = await Promise.all(options.authorityFiles.map(readPem));
  const digest = createHash('sha256').update(
    JSON.stringify([certificatePem, privateKeyPem.reveal(), authorityPems]),
  );
  const secureOptions: SecureContextOptions = {
    minVersion: 'TLSv1.3',
    key: privateKeyPem.reveal(),
    cert: certificatePem,
    ca: authorityPems,
  };
  return {
    digest: digest.digest('hex'),
    credentials: {
      context: contextOf(secureOptions),
      options: secureOptions,
      certificate: parseCertificate(certificatePem),
      authorities: authorityPems.map((pem) => parseCertificate(pem)),
    },
  };
}

/** OpenSSL refuses a key that does not belong to the certificate. */
function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new DualhomeError('TLS_CERTIFICATE_INVALID', {
      detail: 'key and certificate cannot be used',
      cause,
    });
  }
}
