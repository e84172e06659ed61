import { Call } from '../../services/front/calls/call.ts';
import type { CallInput, CallOutput, Located } from '../../services/front/calls/call-types.ts';
import type {
  Binding,
  Chain,
  FlowTarget,
  HopTarget,
  PeerTarget,
  Target,
} from '../../services/front/calls/target.ts';
import type { Destination, Found } from '../../services/protocol/dispatch/call.ts';

/** A binding of `device` at `site`. */
export function aBinding(device: string, site = 'c1', aor = 'bob@example.com'): Binding {
  return {
    aor,
    device,
    site,
    contact: `sip:${device}@192.0.2.9`,
    path: [],
    edge: `sip:token@${site}.example`,
  };
}

export function flowTo(device: string, aor?: string): FlowTarget {
  return { kind: 'flow', binding: aBinding(device, 'c1', aor) };
}

export function peerFlowTo(device: string): PeerTarget {
  const binding = aBinding(device, 'c2');
  return { kind: 'peer', site: 'c2', callee: { address: binding.aor, number: null }, binding };
}

export function hopTo(host: string): HopTarget {
  const server = { transport: 'UDP', address: host, port: 5060 } as const;
  return { kind: 'next-hop', uri: `sip:${host}`, user: '+49301111', server };
}

/** A destination named `user`. */
export function destinationTo(user: string): Destination {
  return {
    callee: { address: `${user}@example.com`, number: null },
    route: null,
    refusal: { kind: 'refused', status: 404, reason: 'Not Found' },
    isEmergency: false,
  };
}

export type Forwards = Partial<Record<'always' | 'busy' | 'noAnswer' | 'unreachable', string>>;

/** What a processor says of subscriber `user`, with forwarding to the users named. */
export function foundUser(user: string, forwards: Forwards = {}): Found {
  const to = (name: string | undefined) => (name === undefined ? null : destinationTo(name));
  return {
    kind: 'found',
    owner: 'c1',
    aor: `${user}@example.com`,
    displayName: null,
    homeSite: 'c1',
    backupSite: 'c2',
    forwarding: {
      always: to(forwards.always),
      busy: to(forwards.busy),
      noAnswer: to(forwards.noAnswer),
      noAnswerSeconds: 7,
      unreachable: to(forwards.unreachable),
    },
    steps: [],
  };
}

/** A call told in words: inputs go in by methods, outputs come back as `forward 0 flow:phone` and the like. */
export class CallTester {
  readonly call: Call<string>;

  constructor({ isInvite = true, earlierForwardings = 0 } = {}) {
    this.call = new Call(isInvite, earlierForwardings);
  }

  start(user = 'bob'): string[] {
    return inWords(this.call.start(destinationTo(user)));
  }

  startWith(...chains: readonly Chain[]): string[] {
    return inWords(this.call.startWith(chains));
  }

  /** The looked-up `user` has these devices. */
  found(branch: number, user: string, chains: readonly Chain[], forwards?: Forwards): string[] {
    return this.located(branch, { kind: 'devices', found: foundUser(user, forwards), chains });
  }

  located(branch: number, located: Located): string[] {
    return this.step({ kind: 'located', branch, located });
  }

  respond(branch: number, status: number): string[] {
    return this.step({ kind: 'response', branch, status, response: `${status} of ${branch}` });
  }

  step(input: CallInput<string>): string[] {
    return inWords(this.call.step(input));
  }
}

/** Outputs in words, timers of the fork left out: the fork's own tests are about them. */
function inWords(outputs: readonly CallOutput<string>[]): string[] {
  return outputs.flatMap((output) => {
    switch (output.kind) {
      case 'forward': {
        const { branch, target, forwardings } = output;
        const via = forwardings.map(({ from, reason }) => ` after ${from.split('@')[0]} ${reason}`).join('');
        return [`forward ${branch} ${targetInWords(target)}${via}`];
      }
      case 'locate':
        return [`locate ${output.branch} ${output.destination.callee.address?.split('@')[0]}`];
      case 'relay':
        return [`relay ${output.response}`];
      case 'answer':
        return [`answer ${output.response ?? output.status}`];
      case 'set-no-answer':
        return [`ring party ${output.party} for ${output.ms} ms`];
      case 'cancel':
      case 'quieten':
        return [`${output.kind} ${output.branch}`];
      default:
        return output.timer === 'silence' ? [`${output.kind.split('-')[0]} silence ${output.branch}`] : [];
    }
  });
}

function targetInWords(target: Target): string {
  switch (target.kind) {
    case 'flow':
      return `flow:${target.binding.device}`;
    case 'peer':
      return `peer:${target.binding?.device ?? '?'}`;
    case 'next-hop':
      return target.uri;
    default:
      return target.kind;
  }
}
