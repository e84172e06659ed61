import { defineErrors } from './define.ts';

/** Making two sites known to each other. */
export const pairingErrors = defineErrors({
  PAIRING_TOKEN_INVALID: {
    summary: 'This is not an invitation.',
    action: 'Copy the whole token that `dualhome pair invite` printed at the other site.',
    retry: 'no',
    http: 400,
  },
  PAIRING_EXPIRED: {
    summary: 'The invitation has expired.',
    action: 'Run `dualhome pair invite` again and join with the new token.',
    retry: 'no',
    http: 410,
  },
  PAIRING_REFUSED: {
    summary: 'The two sites cannot be paired like this.',
    action: 'Follow the detail: each site has a name of its own, and a peer is paired once.',
    retry: 'no',
    http: 409,
  },
  PAIRING_UNREACHABLE: {
    summary: 'The inviting site does not answer where its invitation says.',
    action:
      'Check that `dualhome pair invite` still waits there, that public_host in its site.yaml is right, and that its pairing port is open.',
    retry: 'later',
    http: 503,
  },
  PAIRING_IMPOSTOR: {
    summary: 'What answers is not the site that made the invitation.',
    action: 'Do not go on: find out who answers at that address. Nothing was sent to it.',
    retry: 'no',
    http: 403,
  },
  PAIRING_PEER_UNKNOWN: {
    summary: 'There is no such peer.',
    action: 'See the peers in site.yaml or in `dualhome status`.',
    retry: 'no',
    http: 404,
  },
});
