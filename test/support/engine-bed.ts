import { Engine } from '../../services/front/engine/engine.ts';
import type { Incoming } from '../../services/front/engine/engine.ts';
import { Transports } from '../../services/front/transport/transports.ts';
import { systemClock } from '../../services/platform/lifecycle/clock.ts';
import type { Clock } from '../../services/platform/lifecycle/clock.ts';
import { CertificateStore } from '../../services/platform/tls/certificate-store.ts';
import { createAuthority, issueCertificate } from '../../services/platform/tls/certificates.ts';
import { writeIdentity } from '../../services/platform/tls/identity-files.ts';
import type { IdentityFiles } from '../../services/platform/tls/identity-files.ts';
import { writeFileAtomic } from '../../services/platform/files/write-atomic.ts';
import { siteUri } from '../../services/protocol/site-uri.ts';
import type { Request } from '../../services/sip/message/message.ts';
import type { Flow } from '../../services/sip/transport/flow-token.ts';
import { Arrivals } from './arrivals.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

export type Received = {
  readonly request: Request;
  readonly transaction: Incoming;
  readonly flow: Flow;
};

/** A site's certificate from an authority of its own, in files. */
export async function certificateFiles(
  directory: TemporaryDirectory,
  site: string,
): Promise<IdentityFiles & { readonly authorityFile: string }> {
  const authority = await createAuthority({ name: site, days: 30 });
  const files = {
    keyFile: directory.file(`${site}.key`),
    certificateFile: directory.file(`${site}.pem`),
    authorityFile: directory.file(`${site}-ca.pem`),
  };
  await writeFileAtomic(files.authorityFile, authority.certificatePem);
  await writeIdentity(
    files,
    await issueCertificate(authority, { name: site, uris: [siteUri(site)], days: 30 }),
  );
  return files;
}

export type EngineBedOptions = {
  readonly clock?: Clock | undefined;
  readonly certificate?: IdentityFiles | undefined;
  /** Peers by the files of their authorities. */
  readonly peers?: Readonly<Record<string, string>> | undefined;
};

/**
 * An engine on a UDP, a TCP and a TLS listener of the system's choice (numbers 0, 1, 2). What it receives waits in
 * `requests`; a test answers.
 */
export class EngineBed implements AsyncDisposable {
  readonly engine: Engine;
  readonly requests = new Arrivals<Received>();
  readonly acks = new Arrivals<Request>();
  readonly closed = new Arrivals<Flow>();
  readonly #stack = new AsyncDisposableStack();
  #transports: Transports | undefined;

  private constructor(clock: Clock) {
    this.engine = this.#stack.use(
      new Engine(clock, {
        onRequest: (request, transaction, flow) => this.requests.push({ request, transaction, flow }),
        onAck: (request) => this.acks.push(request),
        onClosed: (flow) => this.closed.push(flow),
      }),
    );
  }

  static async open({
    clock = systemClock,
    certificate,
    peers = {},
  }: EngineBedOptions = {}): Promise<EngineBed> {
    const bed = new EngineBed(clock);
    const directory = bed.#stack.use(await TemporaryDirectory.create());
    const certificates = bed.#stack.use(
      await CertificateStore.open({
        ...(certificate ?? (await certificateFiles(directory, 'c1'))),
        authorityFiles: Object.values(peers),
        onProblem: () => undefined,
      }),
    );
    const listen = { host: '127.0.0.1', port: 0 };
    const listeners = (['udp', 'tcp', 'tls'] as const).map((transport) => ({
      transport,
      listen,
      advertised: { host: '127.0.0.1', port: 5060 },
    }));
    bed.#transports = bed.#stack.use(
      await Transports.open({
        listeners,
        certificates,
        peers: () =>
          Object.keys(peers).flatMap((name, i) => {
            const authority = certificates.current.authorities[i];
            return authority ? [{ name, authority }] : [];
          }),
        events: bed.engine.events,
        clock,
      }),
    );
    bed.engine.attach(bed.#transports);
    return bed;
  }

  get transports(): Transports {
    if (!this.#transports) throw new Error('not open');
    return this.#transports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
