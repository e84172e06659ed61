import { defineErrors } from './define.ts';

/** Who is registered where. */
export const distributionErrors = defineErrors({
  DISTRIBUTION_NOT_FOUND: {
    summary: 'No device of this address of record is registered, as far as this site knows.',
    action:
      'Compare the address with those of `dualhome distribution list`; `dualhome status` says whether peers are heard of.',
    retry: 'no',
    http: 404,
  },
});
