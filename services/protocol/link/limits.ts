/** Bytes of one frame after its length field. The largest event has to fit into one. */
export const frameBytesMax = 16 * 1024 * 1024;

/** The same, before the other end has said HELLO. */
export const helloBytesMax = 64 * 1024;

/** Wanted size of an EVENTS frame: large enough to amortise, small enough for heartbeats to slip between two. */
export const batchBytes = 256 * 1024;

/** Events in one EVENTS frame. */
export const batchEventsMax = 4_000;

/** Bytes of EVENTS a receiver lets its peer send ahead of what it has applied. */
export const creditBytes = 8 * 1024 * 1024;

/** Requests of one peer that are handled at the same time. */
export const requestsMax = 32;

export const heartbeatMs = 1_000;

/** Three heartbeats without a word: the connection is cut, and what it said is no longer called current. */
export const silenceMs = 3 * heartbeatMs;

/** From a connection to the peer's HELLO. */
export const handshakeMs = 5_000;
