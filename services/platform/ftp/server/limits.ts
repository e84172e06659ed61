/** Bounds of one FTP server. Times are milliseconds. */
export type FtpServerLimits = {
  /** Control connections, whether logged in or not; more are closed at once. */
  readonly connectionsMax: number;
  /** Sessions that are logged in; one more login is answered 421. */
  readonly sessionsMax: number;
  readonly lineBytesMax: number;
  /** Commands received but not yet answered, per session. */
  readonly pendingCommandsMax: number;
  /** Passwords tried per connection. */
  readonly loginAttemptsMax: number;
  /** From accepting a connection, or a data connection, to the end of its TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From the greeting to the login. */
  readonly loginTimeoutMs: number;
  /** Between two commands; transfers do not count. */
  readonly idleTimeoutMs: number;
  /** From PASV or EPSV to the data connection. */
  readonly dataConnectTimeoutMs: number;
  /** Without a byte moving on a data connection. */
  readonly dataIdleTimeoutMs: number;
  readonly fileBytesMax: number;
};

export const defaultFtpServerLimits: FtpServerLimits = {
  connectionsMax: 256,
  sessionsMax: 64,
  lineBytesMax: 1_024,
  pendingCommandsMax: 16,
  loginAttemptsMax: 3,
  handshakeTimeoutMs: 10_000,
  loginTimeoutMs: 15_000,
  idleTimeoutMs: 120_000,
  dataConnectTimeoutMs: 15_000,
  dataIdleTimeoutMs: 30_000,
  fileBytesMax: 1024 ** 4,
};
