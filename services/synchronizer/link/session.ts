import type { LogName } from '../../protocol/names.ts';
import type { EventsFrame } from '../../protocol/link/events-frame.ts';
import type { Ack, Resume, Resumed } from '../../protocol/link/frame.ts';
import type { Connection } from './connection.ts';

/** A connection that is up and whose ends have a version in common, as lanes see it. */
export type Session = Pick<Connection, 'signal' | 'send' | 'sendEvents'>;

/** What comes for the lane that applies a log of the peer. */
export type ApplyFrames = {
  onResumed(frame: Resumed): void;
  onEvents(frame: EventsFrame, bytes: number): void;
};

/** What comes for the lane that sends a log of ours. */
export type SendFrames = {
  onResume(frame: Resume, session: Session): void;
  onAck(frame: Ack): void;
};

/** The lanes of one peer, by the log they are for. */
export type Routes = {
  readonly apply: ReadonlyMap<LogName, ApplyFrames>;
  readonly send: ReadonlyMap<LogName, SendFrames>;
};
