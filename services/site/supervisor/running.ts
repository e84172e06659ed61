/** How something that runs has ended, in words; `refused` where starting it again unchanged cannot help. */
export type Ended = { readonly how: string; readonly refused: boolean };

/** A process (or what stands for one) that has been started and serves. */
export type Running = {
  /** Undefined for a database of the operator's, which is not ours to run. */
  readonly pid?: number | undefined;
  /** Settles when it ends, stopped or not. */
  readonly ended: Promise<Ended>;
  /** Ends it in order, then by force. */
  stop(): Promise<void>;
};
