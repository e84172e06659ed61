/** What an FTP server did since it started; only `sessions` also goes down. */
export type FtpServerCounters = {
  /** Control connections open now. */
  sessions: number;
  logins: number;
  loginsRefused: number;
  handshakesFailed: number;
  filesReceived: number;
  filesSent: number;
  transfersFailed: number;
  bytesReceived: number;
  bytesSent: number;
};

export function newCounters(): FtpServerCounters {
  return {
    sessions: 0,
    logins: 0,
    loginsRefused: 0,
    handshakesFailed: 0,
    filesReceived: 0,
    filesSent: 0,
    transfersFailed: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
}
