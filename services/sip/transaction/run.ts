import type { Request, Response } from '../message/message.ts';
import { buildAck } from '../message/request.ts';
import { buildResponse } from '../message/response.ts';
import { stepOf, timerVerbs } from './machine.ts';
import type { Action, Event, Step, TimerVerb } from './machine.ts';
import type { Output } from './output.ts';
import { nextIntervalMs, timerMs, timerNames } from './timers.ts';
import type { TimerName, TimerValues } from './timers.ts';
import { TransactionTimer } from './transaction.ts';
import type { ClientTransaction, ServerTransaction } from './transaction.ts';

const timerEvents = Object.fromEntries(timerNames.map((name) => [name, `timer ${name}`])) as {
  readonly [N in TimerName]: `timer ${N}`;
};

type Setting = { readonly verb: TimerVerb; readonly name: TimerName };

/** The actions that set timers. */
const settings: ReadonlyMap<Action, Setting> = new Map(
  timerNames.flatMap((name) => timerVerbs.map((verb) => [`${verb} ${name}`, { verb, name }])),
);

type Any<T> = ClientTransaction<T> | ServerTransaction<T>;

/** What an event brought: the message to hand to the transaction user. */
export type Cause<T> = {
  readonly request?: Request | undefined;
  readonly response?: Response | undefined;
  readonly cancels?: ServerTransaction<T> | undefined;
};

/** A transaction, its timers' values and the list its outputs go to: what the functions below work on. */
export type Run<T> = {
  readonly transaction: Any<T>;
  readonly timers: TimerValues;
  readonly outputs: Output<T>[];
};

/** Starts the transaction's machine. */
export function start<T>(run: Run<T>, cause: Cause<T>): void {
  take(run, run.transaction.machine.start, cause);
}

/** Lets an event happen to the transaction. */
export function feed<T>(run: Run<T>, event: Event, cause: Cause<T>): void {
  const step = stepOf(run.transaction.machine, run.transaction.state, event);
  if (step) take(run, step, cause);
}

/** Lets a timer run out; one that was cleared before does nothing. */
export function fire<T>(run: Run<T>, timer: TransactionTimer<T>): void {
  const { transaction } = run;
  if (!transaction.timers.includes(timer)) return;
  transaction.timers = transaction.timers.filter((running) => running !== timer);
  feed(run, timerEvents[timer.name], {});
}

/** Ends the transaction whatever its state. */
export function terminate<T>(run: Run<T>): void {
  take(run, ['terminated'], {});
}

/** The event a response of this status is. */
export function statusEvent(status: number): Event {
  if (status < 200) return '1xx';
  return status < 300 ? '2xx' : '300-699';
}

/** Enters the next state, stops the timers it does not listen to, acts, then fires timers of no length. */
function take<T>(run: Run<T>, [next, ...actions]: Step, cause: Cause<T>): void {
  const { transaction, outputs } = run;
  transaction.state = next;
  stopTimers(run);
  let due: TimerName[] | undefined;
  for (const action of actions) {
    const setting = settings.get(action);
    if (!setting) act(run, action, cause);
    else if (setTimer(run, setting)) (due ??= []).push(setting.name);
  }
  if (next === 'terminated') outputs.push({ kind: 'terminated', transaction });
  due?.forEach((name) => feed(run, timerEvents[name], {}));
}

function stopTimers<T>({ transaction, outputs }: Run<T>): void {
  if (transaction.timers.length === 0) return;
  const { machine, state } = transaction;
  const isHeard = ({ name }: TransactionTimer<T>) => stepOf(machine, state, timerEvents[name]) !== undefined;
  for (const timer of transaction.timers) if (!isHeard(timer)) outputs.push({ kind: 'clear-timer', timer });
  transaction.timers = transaction.timers.filter(isHeard);
}

function act<T>(run: Run<T>, action: Action, cause: Cause<T>): void {
  const { transaction, outputs } = run;
  switch (action) {
    case 'send':
      return send(run, transaction.kind === 'client' ? transaction.bytes : transaction.response);
    case 'send ACK':
      if (transaction.kind === 'client' && transaction.request && cause.response) {
        send(run, buildAck(transaction.request, cause.response));
      }
      return;
    case 'send 100':
      return sendTrying(run);
    case 'pass':
      return pass(run, cause);
    case 'report timeout':
      return void outputs.push({ kind: 'timeout', transaction });
    case 'report transport error':
      return void outputs.push({ kind: 'transport-error', transaction });
  }
}

function send<T>({ transaction, outputs }: Run<T>, bytes: Buffer | undefined): void {
  if (bytes) outputs.push({ kind: 'send', bytes, to: transaction.peer, transaction });
}

/** The 100 an INVITE gets when its user has not answered within 200 ms (section 17.2.1). */
function sendTrying<T>(run: Run<T>): void {
  const { transaction } = run;
  if (transaction.kind !== 'server' || transaction.response || !transaction.request) return;
  transaction.response = buildResponse(transaction.request, 100);
  send(run, transaction.response);
}

function pass<T>({ transaction, outputs }: Run<T>, { request, response, cancels }: Cause<T>): void {
  if (transaction.kind === 'client') {
    if (response) outputs.push({ kind: 'response', response, transaction });
  } else if (request?.method === 'ACK') outputs.push({ kind: 'ack', request, from: transaction.peer });
  else if (request) outputs.push({ kind: 'request', request, transaction, cancels });
}

function intervalMs<T>({ transaction, timers }: Run<T>, { verb, name }: Setting): number | undefined {
  if (verb === 'start') return timerMs(name, timers, transaction.isReliable);
  return verb === 'slow' ? timers.t2Ms : nextIntervalMs(name, transaction.intervalMs, timers);
}

/** Whether the timer has no length: it is not set, but due. */
function setTimer<T>(run: Run<T>, setting: Setting): boolean {
  const { transaction, outputs } = run;
  const { name } = setting;
  const ms = intervalMs(run, setting);
  if (ms === undefined) return false;
  if (ms === 0) return true;
  if (name === 'A' || name === 'E' || name === 'G') transaction.intervalMs = ms;
  const timer = new TransactionTimer(name, transaction);
  // `concat` makes an array of just that size, of which there are tens of thousands.
  transaction.timers = transaction.timers.concat(timer);
  outputs.push({ kind: 'set-timer', timer, ms });
  return false;
}
