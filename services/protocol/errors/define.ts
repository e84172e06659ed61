/** Whether doing the same again can help: `yes` at once, `later` when the cause has passed, `no` never unchanged. */
export type Retry = 'yes' | 'later' | 'no';

/** One registered error: what happened, what the operator should do, and whether a retry helps. */
export type ErrorDefinition = {
  readonly summary: string;
  readonly action: string;
  readonly retry: Retry;
  /** Status the HTTP API answers with (RFC 9110); 500 where nothing better fits. */
  readonly http: number;
};

/** Declares the codes of one area. Codes are UPPER_SNAKE_CASE and begin with the area's name. */
export function defineErrors<const T extends Record<string, ErrorDefinition>>(definitions: T): T {
  return definitions;
}
