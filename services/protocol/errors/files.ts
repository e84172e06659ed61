import { defineErrors } from './define.ts';

/** Small files a program keeps beside its databases. */
export const filesErrors = defineErrors({
  FILES_UNREADABLE: {
    summary: 'A file cannot be read.',
    action: 'Check that the user of the program may read it and that the disk is sound.',
    retry: 'later',
    http: 500,
  },
  FILES_INVALID: {
    summary: 'A file does not hold what it should.',
    action: 'Restore it from a backup, or remove it if the detail says that it can be made again.',
    retry: 'no',
    http: 500,
  },
});
