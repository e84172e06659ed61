import { defineErrors } from './define.ts';

/** Sealed values and signatures. */
export const cryptoErrors = defineErrors({
  CRYPTO_KEY_INVALID: {
    summary: 'A sealing or signing key is not a key of the expected kind.',
    action: 'Put the right key file in place, or make a new pairing.',
    retry: 'no',
    http: 500,
  },
  CRYPTO_KEY_UNKNOWN: {
    summary: 'A value is sealed with a key that is not known here.',
    action: 'Give this program the key whose id is named; the site that sealed the value holds it.',
    retry: 'no',
    http: 500,
  },
  CRYPTO_SEAL_BROKEN: {
    summary: 'A sealed value was changed, or belongs to another place.',
    action: 'Compare the row with the other site and set the value again.',
    retry: 'no',
    http: 500,
  },
});
