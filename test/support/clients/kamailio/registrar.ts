import type { SipAddress } from '../sip-address.ts';
import { formatSipAddress } from '../sip-address.ts';
import { domainOfUsers } from '../users.ts';
import type { SipUser } from '../users.ts';
import { Kamailio } from './kamailio.ts';
import type { KamailioPlace } from './kamailio.ts';

export type KamailioRegistrarOptions = {
  /** With the tables of `createKamailioTables`. */
  readonly databaseUrl: string;
  /** `database` writes every binding through to PostgreSQL before the 200; `memory` keeps them in memory only. */
  readonly bindings: 'database' | 'memory';
  /** Another registrar that both tell every binding (DMQ). */
  readonly peer?: KamailioRegistrar | undefined;
  readonly children?: number | undefined;
  /** Where it listens; default loopback. */
  readonly host?: string | undefined;
};

/**
 * Kamailio as registrar and stateful proxy, as its own example configuration has it: digest from PostgreSQL, usrloc,
 * Record-Route, calls by lookup. Users are known by name in any domain; callers are not asked for credentials.
 */
export class KamailioRegistrar implements AsyncDisposable {
  readonly kamailio: Kamailio;

  private constructor(kamailio: Kamailio) {
    this.kamailio = kamailio;
  }

  static async start(options: KamailioRegistrarOptions): Promise<KamailioRegistrar> {
    const { children, host, peer } = options;
    const configure = (place: KamailioPlace): string => registrarConfig(place, options);
    const kamailio = await Kamailio.start({ configure, children, host });
    const registrar = new KamailioRegistrar(kamailio);
    if (peer) await registrar.#waitForBus(peer);
    return registrar;
  }

  get address(): SipAddress {
    return this.kamailio.address;
  }

  /** Contacts bound to this user now. */
  async contactsOf(user: SipUser): Promise<readonly string[]> {
    const result = (await this.kamailio.rpc('ul.lookup', 'location', user.name)) as
      { readonly Contacts: readonly { readonly Contact: { readonly Address: string } }[] } | undefined;
    return result?.Contacts.map(({ Contact }) => Contact.Address) ?? [];
  }

  /** Waits until as many contacts are bound to the user. */
  async waitForContacts(user: SipUser, count: number): Promise<void> {
    const hasAll = (result: unknown): boolean =>
      ((result as { readonly Contacts?: readonly unknown[] } | undefined)?.Contacts?.length ?? 0) === count;
    await this.kamailio.waitForRpc('ul.lookup', hasAll, 'location', user.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kamailio[Symbol.asyncDispose]();
  }

  /** Bindings made before both know each other would not be told. */
  async #waitForBus(peer: KamailioRegistrar): Promise<void> {
    const isActive = (other: Kamailio) => (result: unknown) =>
      (result as readonly { readonly port: string; readonly status: string }[]).some(
        ({ port, status }) => port === String(other.dmqAddress.port) && status === 'active',
      );
    await this.kamailio.waitForRpc('dmq.list_nodes', isActive(peer.kamailio));
    await peer.kamailio.waitForRpc('dmq.list_nodes', isActive(this.kamailio));
  }
}

function registrarConfig(
  { host, dmqPort }: KamailioPlace,
  { databaseUrl, bindings, peer }: KamailioRegistrarOptions,
): string {
  const notify = peer && `sip:${formatSipAddress(peer.kamailio.dmqAddress)}`;
  return `
loadmodule "db_postgres.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
loadmodule "dmq.so"
loadmodule "dmq_usrloc.so"
alias="${domainOfUsers}"
modparam("usrloc", "db_mode", ${bindings === 'database' ? 1 : 0})
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("usrloc|auth_db", "db_url", "${databaseUrl}")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "load_credentials", "")
modparam("dmq", "server_address", "sip:${host}:${dmqPort}")
modparam("dmq", "server_socket", "udp:${host}:${dmqPort}")
${notify ? `modparam("dmq", "notification_address", "${notify}")` : ''}
modparam("dmq", "num_workers", 2)
modparam("dmq_usrloc", "enable", 1)

request_route {
  if (is_method("KDMQ")) {
    dmq_handle_message();
    exit;
  }
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  force_rport();
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    if (loose_route()) {
      if (uri == myself) lookup("location");
      t_relay();
    } else if (!is_method("ACK")) sl_send_reply("404", "Not Here");
    else if (t_check_trans()) t_relay();
    exit;
  }
  if (t_precheck_trans()) {
    t_check_trans();
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) route(REGISTER);
  if (is_method("OPTIONS") && $rU == $null) {
    sl_send_reply("200", "OK");
    exit;
  }
  record_route();
  if (!lookup("location")) {
    sl_send_reply("480", "Temporarily Unavailable");
    exit;
  }
  if (!t_relay()) sl_reply_error();
}

route[REGISTER] {
  if (!auth_check("${domainOfUsers}", "subscriber", "1")) {
    auth_challenge("${domainOfUsers}", "1");
    exit;
  }
  if (!save("location")) sl_reply_error();
  exit;
}
`;
}
