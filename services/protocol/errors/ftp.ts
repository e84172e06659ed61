import { defineErrors } from './define.ts';

/** Files over FTP: the server each site runs, and the client that talks to any server. */
export const ftpErrors = defineErrors({
  FTP_LISTEN_FAILED: {
    summary: 'The FTP server cannot listen on its address.',
    action: 'Free the port, or configure another host and port, and start again.',
    retry: 'later',
    http: 503,
  },
  FTP_UNREACHABLE: {
    summary: 'The FTP server does not answer, or the connection broke.',
    action:
      'Check that the server runs, that its port and passive ports pass the firewalls between, and its log: a server also hangs up on a certificate it does not trust.',
    retry: 'yes',
    http: 503,
  },
  FTP_TLS_REFUSED: {
    summary: 'The TLS connection to the FTP server was refused by one of the two ends.',
    action:
      'Check that each end trusts the authority of the other, that certificates are in date, and that both mean the same security (implicit, explicit or plain).',
    retry: 'no',
    http: 502,
  },
  FTP_LOGIN_REFUSED: {
    summary: 'The FTP server refused user and password.',
    action: 'Credentials are made for one job: start the job again, or correct those of the named server.',
    retry: 'no',
    http: 502,
  },
  FTP_BUSY: {
    summary: 'The FTP server refused for the moment.',
    action: 'Nothing, if it passes: it is tried again. See the server log if it lasts.',
    retry: 'yes',
    http: 503,
  },
  FTP_COMMAND_REFUSED: {
    summary: 'The FTP server refused a command for good.',
    action:
      'See its answer: a missing file, a missing right, or a feature this server lacks (SIZE, REST, APPE).',
    retry: 'no',
    http: 502,
  },
  FTP_STORAGE_FULL: {
    summary: 'The FTP server has no room for the file.',
    action: 'Free space at the receiver, then retry the job: it goes on where it stopped.',
    retry: 'later',
    http: 507,
  },
  FTP_TRANSFER_INCOMPLETE: {
    summary: 'Fewer or other bytes arrived than were sent, although the server reported success.',
    action: 'Nothing: the transfer resumes at the last good byte, or starts again.',
    retry: 'yes',
    http: 502,
  },
  FTP_CONTENT_MISMATCH: {
    summary: 'A file transferred whole does not have the SHA-256 it should have.',
    action: 'The file itself was changed or damaged: make it again at its source.',
    retry: 'no',
    http: 502,
  },
  FTP_LOCAL_FILE: {
    summary: 'A local file of a transfer cannot be read or written.',
    action: 'Check the path, its rights and the free space on this machine.',
    retry: 'later',
    http: 500,
  },
  FTP_NAME_INVALID: {
    summary: 'A file name holds characters that FTP servers do not agree about.',
    action: 'Use only a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit.',
    retry: 'no',
    http: 400,
  },
});
