import { defineErrors } from './define.ts';

/** Certificates and TLS sessions. */
export const tlsErrors = defineErrors({
  TLS_FILE_UNREADABLE: {
    summary: 'A key or certificate file cannot be read.',
    action: 'Check the path in the configuration and that the user of the program may read it.',
    retry: 'no',
    http: 500,
  },
  TLS_CERTIFICATE_INVALID: {
    summary: 'A certificate, request or key is not valid PEM, or key and certificate do not belong together.',
    action: 'Put a matching key and certificate in place; the program takes them up without a restart.',
    retry: 'no',
    http: 500,
  },
  TLS_CERTIFICATE_UNTRUSTED: {
    summary: 'A certificate was not issued by an authority that is trusted for its owner.',
    action:
      'Compare the fingerprints on both sides; exchange the authority certificates again if they differ.',
    retry: 'no',
    http: 403,
  },
  TLS_CERTIFICATE_EXPIRED: {
    summary: 'A certificate is outside its period of validity.',
    action: 'Check the clocks of both machines, then renew the certificate.',
    retry: 'later',
    http: 403,
  },
});
