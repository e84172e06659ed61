import { randomBytes, timingSafeEqual } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { createHttpServer } from '../../platform/http/server.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { Secret } from '../../platform/logging/secret.ts';
import { CertificateStore } from '../../platform/tls/certificate-store.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import { parseCertificate } from '../../platform/tls/inspect.ts';
import { certificateFiles } from '../certificates.ts';
import type { SiteFile } from '../config/read.ts';
import { formatAddress } from '../config/values.ts';
import { siteLayout } from '../layout.ts';
import { confirmedSchema, joinedSchema, joinSchema, paths } from './exchange.ts';
import { ownOffer } from './offer.ts';
import type { Offer } from './offer.ts';
import { recordPeer } from './peers.ts';
import type { Direction } from './peers.ts';
import { encodeToken } from './token.ts';
import type { Invitation } from './token.ts';

export type InviteOptions = {
  readonly direction: Direction;
  readonly validForMs: number;
  readonly log: Logger;
};

const secretBytes = 32;

/**
 * An invitation that waits for the other site. The secret is worth one join: the first site that shows it is the peer,
 * and may only try again itself.
 */
export type OpenInvitation = AsyncDisposable & {
  readonly token: string;
  readonly expiresMs: number;
  /** The peer's name once both have recorded each other. @throws PAIRING_EXPIRED; the reason of `signal` */
  joined(signal: AbortSignal): Promise<string>;
};

/** Listens at `pairing.listen` of site.yaml, with the site's certificate. */
export async function openInvitation(
  file: SiteFile,
  { direction, validForMs, log }: InviteOptions,
): Promise<OpenInvitation> {
  await using stack = new AsyncDisposableStack();
  const layout = siteLayout(file.dataDir);
  const secret = randomBytes(secretBytes).toString('hex');
  const expiresMs = Date.now() + validForMs;
  const certificates = stack.use(
    await CertificateStore.open({
      ...certificateFiles(layout),
      authorityFiles: [layout.certificates.authority],
      onProblem: (error) => log.warn({ err: error }, 'certificate'),
    }),
  );
  const server = stack.use(
    await createHttpServer<'joiner'>({
      title: 'dualhome pairing',
      version: '1',
      logger: log,
      certificates,
      authenticate: async (token) =>
        isSecret(token, secret) && Date.now() < expiresMs ? 'joiner' : undefined,
    }),
  );
  const joining = new Joining(file, direction);
  server.app.post(paths.join, { schema: { body: joinSchema, response: { 200: joinedSchema } } }, (request) =>
    joining.join(request.body.offer),
  );
  server.app.post(
    paths.confirm,
    { schema: { body: joinSchema, response: { 200: confirmedSchema } } },
    (request) => joining.confirm(request.body.offer),
  );
  await server.listen(file.config.pairing.listen);
  const token = await tokenOf(file, { secret: new Secret(secret), expiresMs, ...direction });
  const held = stack.move();
  return {
    token,
    expiresMs,
    joined: (signal) => waitFor(joining.peer, expiresMs, signal),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** The first site that joins is the one: it may repeat itself until it has confirmed, nobody else may. */
class Joining {
  readonly #file: SiteFile;
  readonly #direction: Direction;
  readonly #confirmed = Promise.withResolvers<string>();
  #authorityPem: string | undefined;

  constructor(file: SiteFile, direction: Direction) {
    this.#file = file;
    this.#direction = direction;
  }

  /** The peer's name, once it has confirmed. */
  get peer(): Promise<string> {
    return this.#confirmed.promise;
  }

  async join(offer: Offer): Promise<{ readonly offer: Offer }> {
    this.#refuseOthers(offer);
    this.#authorityPem = offer.authorityPem;
    await recordPeer(this.#file, offer, this.#direction);
    return { offer: await ownOffer(this.#file) };
  }

  async confirm(offer: Offer): Promise<{ readonly confirmed: true }> {
    this.#refuseOthers(offer);
    this.#confirmed.resolve(offer.site);
    return { confirmed: true };
  }

  #refuseOthers({ authorityPem }: Offer): void {
    if (this.#authorityPem === undefined || this.#authorityPem === authorityPem) return;
    throw new DualhomeError('PAIRING_REFUSED', { detail: 'the invitation was used by another site' });
  }
}

async function tokenOf(
  { config, dataDir }: SiteFile,
  facts: Pick<Invitation, 'secret' | 'expiresMs' | 'sends' | 'receives'>,
): Promise<string> {
  const host = config.public_host.replace(/^\[|\]$/g, '');
  const at = formatAddress({ host, port: config.pairing.listen.port });
  const authority = parseCertificate(await readPem(siteLayout(dataDir).certificates.authority)).raw;
  return encodeToken({ ...facts, site: config.site, at, authority });
}

function isSecret(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function waitFor<T>(promise: Promise<T>, untilMs: number, signal: AbortSignal): Promise<T> {
  const given = Promise.withResolvers<never>();
  const expire = (): void => given.reject(new DualhomeError('PAIRING_EXPIRED'));
  const abort = (): void => given.reject(signal.reason);
  const timer = setTimeout(expire, untilMs - Date.now());
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
