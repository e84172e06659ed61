import { writeFile } from 'node:fs/promises';
import type { SipAddress } from '../sip-address.ts';
import { formatSipAddress } from '../sip-address.ts';
import { Kamailio } from './kamailio.ts';
import type { KamailioPlace } from './kamailio.ts';

export type FailoverProxyOptions = {
  /** In the order of preference. */
  readonly sites: readonly SipAddress[];
  /** An edge in front of devices adds itself as Path to what they register; a third-party site does not. */
  readonly addsPath: boolean;
  /** Where it listens, and what sites know it by; default loopback. */
  readonly host?: string | undefined;
  /** Where requests that come from the sites go that name no way themselves: a third party's own device. */
  readonly device?: SipAddress | undefined;
};

/** Of the dispatcher's only set. */
const setId = 1;

/**
 * Kamailio as the independent device that fails over: it probes the sites with OPTIONS each second, sends every request
 * to the first that lives, and the next when that one does not answer or says 503.
 */
export class FailoverProxy implements AsyncDisposable {
  readonly kamailio: Kamailio;

  private constructor(kamailio: Kamailio) {
    this.kamailio = kamailio;
  }

  static async start(options: FailoverProxyOptions): Promise<FailoverProxy> {
    return new FailoverProxy(
      await Kamailio.start({
        host: options.host,
        // Of several, one lets a 200 overtake the 180 that another has, which sipp takes amiss.
        children: 1,
        configure: async (place) => {
          await writeFile(place.directory.file('dispatcher.list'), dispatcherList(options.sites));
          return failoverConfig(place, options);
        },
      }),
    );
  }

  get address(): SipAddress {
    return this.kamailio.address;
  }

  /** Waits until its probes have found that this site lives, or that it does not. */
  async waitForSite(site: SipAddress, state: 'living' | 'dead'): Promise<void> {
    const uri = `sip:${formatSipAddress(site)}`;
    const expected = state === 'living' ? /"FLAGS":"AP"/ : /"FLAGS":"[IT]P"/;
    await this.kamailio.waitForRpc('dispatcher.list', (result) =>
      JSON.stringify(result)
        .split('"DEST"')
        .some((text) => text.includes(`"${uri}"`) && expected.test(text)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kamailio[Symbol.asyncDispose]();
  }
}

function dispatcherList(sites: readonly SipAddress[]): string {
  return sites.map((site, i) => `${setId} sip:${formatSipAddress(site)} 0 ${sites.length - i}\n`).join('');
}

const failoverConfig = (
  { host, port, directory }: KamailioPlace,
  { addsPath, device }: FailoverProxyOptions,
): string => `
loadmodule "dispatcher.so"
loadmodule "path.so"
modparam("tm", "fr_timer", 1000)
modparam("path", "use_received", 1)
modparam("dispatcher", "list_file", "${directory.file('dispatcher.list')}")
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "ds_ping_interval", 1)
modparam("dispatcher", "ds_ping_from", "sip:probe@${host}:${port}")
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_probing_threshold", 2)

request_route {
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  force_rport();
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (is_method("ACK") && t_check_trans()) {
    t_relay();
    exit;
  }
  if (loose_route()) {
    if (is_method("INVITE")) record_route();
    t_relay();
    exit;
  }
  if (is_method("ACK")) exit;
  if (is_method("OPTIONS") && $rU == $null) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if (ds_is_from_list("${setId}")) route(FROM_SITE);
  ${addsPath ? 'if (is_method("REGISTER")) add_path_received();' : ''}
  if (!ds_select_dst("${setId}", "8")) {
    sl_send_reply("503", "Service Unavailable");
    exit;
  }
  t_on_failure("NEXT_SITE");
  t_relay();
}

failure_route[NEXT_SITE] {
  if (t_is_canceled()) exit;
  if (!t_branch_timeout() && !t_check_status("503")) exit;
  if (t_branch_timeout() && t_branch_replied()) exit;
  if (ds_next_dst()) {
    t_on_failure("NEXT_SITE");
    t_relay();
  }
}

route[FROM_SITE] {
  ${device ? `$du = "sip:${formatSipAddress(device)}";\n  t_relay();` : 'sl_send_reply("404", "Not Found");'}
  exit;
}
`;
