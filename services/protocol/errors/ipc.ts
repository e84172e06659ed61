import { defineErrors } from './define.ts';

/** Programs of one site that talk over a Unix socket. */
export const ipcErrors = defineErrors({
  IPC_SOCKET_IN_USE: {
    summary: 'Another process listens on the socket.',
    action: 'Wait until the old process has ended, or end it; it is tried again by itself.',
    retry: 'later',
    http: 503,
  },
  IPC_SOCKET_UNUSABLE: {
    summary: 'A program cannot listen on its socket.',
    action:
      'Look at the path in the detail: its directory must belong to the user who runs the site, and be writable.',
    retry: 'later',
    http: 500,
  },
  IPC_MESSAGE_INVALID: {
    summary: 'A program of this site said something that is not understood; the connection was cut.',
    action: 'Start all programs of the site from the same installation; it is connected again by itself.',
    retry: 'later',
    http: 500,
  },
});
