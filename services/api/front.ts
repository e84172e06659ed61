import type { Address } from '../protocol/program-config.ts';
import {
  callExplanationSchema,
  dispatchExplanationSchema,
  dispatchTableSchema,
} from '../protocol/rest/dispatch.ts';
import type {
  CallExplainQuery,
  CallExplanation,
  DispatchExplanation,
  DispatchTable,
} from '../protocol/rest/dispatch.ts';
import { positionFromJson } from '../protocol/link/position-json.ts';
import type { Position } from '../protocol/position.ts';
import { incarnationBegunAnswerSchema } from '../protocol/rest/log.ts';
import type { IncarnationCause } from '../protocol/rest/log.ts';
import { DiagnosticsClient } from './diagnostics-client.ts';

/** This site's front. */
export class Front extends DiagnosticsClient {
  constructor(address: Address) {
    super(address, 'FRONT_UNREACHABLE');
  }

  /** The dispatch table in effect. @throws FRONT_UNREACHABLE, API_ANSWER_INVALID */
  dispatchTable(): Promise<DispatchTable> {
    return this.ask('/dispatch', { answer: dispatchTableSchema });
  }

  /** Which processor decides about an address, and why. @throws FRONT_UNREACHABLE, API_ANSWER_INVALID */
  explainDispatch(aor: string): Promise<DispatchExplanation> {
    return this.ask('/dispatch/explain', { query: { aor }, answer: dispatchExplanationSchema });
  }

  /** What would become of a call. @throws FRONT_UNREACHABLE, API_ANSWER_INVALID */
  explainCall(query: CallExplainQuery): Promise<CallExplanation> {
    return this.ask('/dispatch/explain-call', { query, answer: callExplanationSchema });
  }

  /**
   * Accepts the registration log as it is recorded and goes on in a new incarnation.
   *
   * @throws FRONT_UNREACHABLE, API_ANSWER_INVALID, LOG_FENCED, POSTGRES_*
   */
  async beginIncarnation(cause: IncarnationCause): Promise<Position> {
    const answer = incarnationBegunAnswerSchema;
    return positionFromJson(await this.tell('/log/incarnations', { body: cause, answer }));
  }
}
