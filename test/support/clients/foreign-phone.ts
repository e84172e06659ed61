/** A phone of somebody else, registered with a site; it takes every call. */
export type ForeignPhone = AsyncDisposable & {
  /** Waits until its registration was accepted. */
  registered(): Promise<void>;
  /** Calls and waits until the call was taken. */
  call(uri: string): Promise<void>;
  /** Waits until a call came and was taken. */
  answered(): Promise<void>;
  /** Ends the call. */
  hangUp(): void;
  /** Waits until the other one has ended the call. */
  hungUp(): Promise<void>;
};

/** One calls the other, and hangs up. */
export async function talk(caller: ForeignPhone, callee: ForeignPhone, uri: string): Promise<void> {
  await caller.call(uri);
  await callee.answered();
  caller.hangUp();
  await callee.hungUp();
}
