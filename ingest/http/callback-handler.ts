import type { Clock } from '../../lib/clock.ts';
import { AppError, asError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import type { IngestMetrics } from '../metrics.ts';
import { EventTooLargeError } from '../publish/prepared.ts';
import type { Durability } from '../publish/publication.ts';
import { commands } from '../tencent/commands.ts';
import { deadLetter, type Failure } from '../tencent/dead-letter.ts';
import { parseBody } from '../tencent/json.ts';
import type { CallbackRequest, TranslatedEvent, TranslationRules } from '../tencent/request.ts';
import { type Translation, translate } from '../tencent/translate.ts';
import { okAnswer, refusals } from './answers.ts';
import { Repeats } from './repeats.ts';

export interface CallbackHandlerOptions {
  readonly translation: TranslationRules;
  /** Resolves when all events are durable, with where; an `AppError` means that they are not, and that this may pass. */
  readonly publish: (events: readonly TranslatedEvent[], traceparent: string | undefined) => Promise<Durability>;
  /** Relays callbacks whose events are durable, where there is a backend; what it resolves with is answered instead. */
  readonly forwarder?: Pick<Forwarder, 'relay' | 'refuseLoop'> | undefined;
  readonly metrics: IngestMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How an admitted request was answered: `body` with 200, or not at all. */
export type Handled = { readonly body: string } | { readonly refusal: typeof refusals.notDurable };

/** What the handler is told of a request beside the callback itself. */
export interface Arrival {
  /** Monotonic milliseconds when its headers were complete. */
  readonly startedMs: number;
  readonly remoteAddress: string;
  readonly traceparent: string | undefined;
  /** Whether imwatch has relayed it before. */
  readonly isRelayed: boolean;
}

/** Takes one authentic callback: translates it, makes its events durable, and only then answers OK. */
export function createCallbackHandler(
  options: CallbackHandlerOptions,
): (callback: CallbackRequest, arrival: Arrival) => Promise<Handled> {
  const { metrics, clock, logger } = options;
  const repeats = new Repeats();

  return async (callback, arrival) => {
    const translation = translateOrKeep(callback);
    const base = () => ({ sdkAppId: callback.sdkAppId, remote: arrival.remoteAddress });
    if (translation.kind === 'url-check') {
      metrics.urlChecked();
      logger.info({ status: 200, ...base(), outcome: 'url check' }, 'callback');
      return { body: okAnswer() };
    }
    const { command } = translation;
    let events = translation.events;
    let durability: Durability;
    try {
      try {
        durability = await options.publish(events, arrival.traceparent);
      } catch (error) {
        events = [letterFor(error, callback, command)];
        durability = await options.publish(events, arrival.traceparent);
      }
    } catch (error) {
      metrics.answered('none', tookSeconds(arrival));
      if (!(error instanceof AppError)) throw error;
      logger.warn({ status: 503, ...base(), command, reason: messageOf(error) }, 'callback');
      return { refusal: refusals.notDurable };
    }
    const seconds = tookSeconds(arrival);
    metrics.answered(durability, seconds);
    countDurable(command, events);
    if (logger.isLevelEnabled('info')) {
      const eventId = events[0]?.value.eventId;
      const tookMs = Math.round(seconds * 1000);
      logger.info({ status: 200, tookMs, ...base(), command, outcome: outcomeOf(events), eventId }, 'callback');
    }
    const isKeptAsIs = events === translation.events;
    const ownAnswer = okAnswer(isKeptAsIs ? translation.answer : translation.allowance);
    if (options.forwarder === undefined) return { body: ownAnswer };
    return { body: (await answerOfBackend(options.forwarder, callback, arrival, command)) ?? ownAnswer };
  };

  async function answerOfBackend(
    forwarder: Pick<Forwarder, 'relay' | 'refuseLoop'>,
    { queryString, body }: CallbackRequest,
    { startedMs, remoteAddress, traceparent, isRelayed }: Arrival,
    command: string | null,
  ): Promise<string | undefined> {
    const relayed = { command, queryString, body, remoteAddress, traceparent, startedMs };
    if (!isRelayed) return forwarder.relay(relayed);
    forwarder.refuseLoop(relayed);
    return undefined;
  }

  /** The dead letter in place of events that can never be written. @throws the error itself where that may pass. */
  function letterFor(error: unknown, callback: CallbackRequest, command: string | null): TranslatedEvent {
    const failure = unwritable(error);
    if (failure === undefined) throw error;
    const parsed = parseBody(callback.body, false);
    return deadLetter(callback, options.translation, failure, { command, ...(parsed.ok && { body: parsed.body }) });
  }

  /** Why events can never be written, `undefined` where that may pass. */
  function unwritable(error: unknown): Failure | undefined {
    if (error instanceof EventTooLargeError) {
      return { reason: 'EVENT_TOO_LARGE', fieldPath: null, detail: error.message };
    }
    if (error instanceof AppError) return undefined;
    // The words of the error are not logged: they may quote the value that does not fit.
    logger.error(
      { at: asError(error).stack?.split('\n').slice(1, 4) },
      'unexpected error while encoding, the body becomes a dead letter',
    );
    return { reason: 'UNEXPECTED', fieldPath: null, detail: 'imwatch failed on this body' };
  }

  /** A body that breaks the translation is kept as a dead letter, so that a mistake of ours loses nothing. */
  function translateOrKeep(callback: CallbackRequest): Translation {
    try {
      return translate(callback, options.translation);
    } catch (error) {
      logger.error({ err: error }, 'unexpected error while translating, the body becomes a dead letter');
      const command = callback.query.command ?? null;
      const failure = { reason: 'UNEXPECTED', fieldPath: null, detail: 'imwatch failed on this body' } as const;
      return { kind: 'events', command, events: [deadLetter(callback, options.translation, failure, { command })] };
    }
  }

  function countDurable(command: string | null, events: readonly TranslatedEvent[]): void {
    if (events.length === 0) metrics.emptyBatch();
    const repeated = repeats.durable(events, clock.monotonicMs());
    if (repeated > 0) metrics.edge.repeated(repeated);
    for (const event of events) {
      metrics.event(event.topic, labelOf(event.value.command ?? command));
      if (event.record === 'DeadLetter') metrics.deadLetter(event.value.reason);
    }
  }

  function tookSeconds(arrival: Arrival): number {
    return (clock.monotonicMs() - arrival.startedMs) / 1000;
  }
}

/** A metric label for a command: strangers may not make up new ones. */
function labelOf(command: string | null): string {
  return command !== null && commands.has(command) ? command : 'other';
}

function outcomeOf(events: readonly TranslatedEvent[]): string {
  const [first] = events;
  if (first === undefined) return 'empty batch';
  const what = first.record === 'DeadLetter' ? `dead letter ${first.value.reason}` : first.topic;
  return events.length === 1 ? what : `${events.length} events, first ${what}`;
}
