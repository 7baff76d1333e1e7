import { type Clock, sleep } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { ConsumedRecord } from '../../../lib/kafka/consume/record-batch-reader.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { TopicRecord } from '../../../schemas/record-writer.ts';
import { RegistryUnavailableError } from '../../../schemas/registry.ts';
import { deadLetterOf } from '../dead-letter.ts';
import type { Decoded, Decoder } from '../decoder.ts';
import type { ConsumerMetrics, OutcomeKind } from '../metrics.ts';
import type { AnyEvent, Outcome, PartitionProcessor } from '../processor.ts';
import { retryPauseMs } from '../retry-pause.ts';
import type { SeenIds } from '../state/seen/seen-ids.ts';
import type { Refusals } from './refusals.ts';

export interface EventHandlerOptions<E extends AnyEvent> {
  /** Name of the service, for dead letters. */
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly decoder: Decoder<E>;
  readonly seen: Pick<SeenIds, 'take'>;
  readonly processor: Pick<PartitionProcessor<E>, 'take'>;
  readonly refusals: Refusals;
  readonly metrics: Pick<ConsumerMetrics, 'handled' | 'retried'>;
  /** For waits. */
  readonly clock: Clock;
  /** For when a dead letter was written. */
  readonly time: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
  /** Told what is waited for outside of this process. */
  readonly onWaiting: (what: string) => void;
  readonly signal: AbortSignal;
}

/** Gives the events of one partition to its processor, each once and in order. */
export class EventHandler<E extends AnyEvent> {
  readonly #options: EventHandlerOptions<E>;

  constructor(options: EventHandlerOptions<E>) {
    this.#options = options;
  }

  /**
   * What `records` lead to, in order; dead letters stand for those that cannot be read or handled. A registry that is away is waited
   * for.
   *
   * @throws the reason of the signal once that is aborted.
   */
  async handle(records: readonly ConsumedRecord[]): Promise<readonly TopicRecord[]> {
    const { decoder, metrics } = this.#options;
    const outputs: TopicRecord[] = [];
    const outcomes = { ok: 0, skip: 0, park: 0, repeat: 0 };
    for (const record of records) {
      const { value } = record;
      const kind = this.#handle(record, decoder.decodeKnown(value) ?? (await this.#decode(value)), outputs);
      outcomes[kind] += 1;
    }
    metrics.handled(outcomes);
    return outputs;
  }

  async #decode(value: Buffer | null): Promise<Decoded<E>> {
    const { decoder, clock, logger, metrics, onWaiting, signal } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await decoder.decode(value);
      } catch (error) {
        if (!(error instanceof RegistryUnavailableError)) throw error;
        onWaiting(`the schema registry: ${messageOf(error)}`);
        metrics.retried('registry');
        logger.warn({ reason: messageOf(error) }, 'the schema of a record is not known yet, asking again');
        await sleep(clock, retryPauseMs(attempt));
        signal.throwIfAborted();
      }
    }
  }

  #handle(record: ConsumedRecord, decoded: Decoded<E>, outputs: TopicRecord[]): OutcomeKind {
    const { logger, partition, refusals } = this.#options;
    const { offset } = record;
    const outcome = this.#outcomeOf(offset, decoded, refusals.whyRefused(offset));
    const { kind } = outcome;
    if (kind === 'repeat') return kind;
    if (kind === 'skip') {
      logger.debug({ partition, offset, why: outcome.why }, 'skipped');
      return kind;
    }
    if (kind === 'ok') {
      for (const output of outcome.outputs ?? []) outputs.push(traced(output, record));
      return kind;
    }
    const { service, topic, time } = this.#options;
    const { reason, detail } = outcome;
    logger.warn({ partition, offset, reason, detail }, 'dead letter');
    outputs.push(deadLetterOf({ service, topic, partition, record, reason, detail, failedAtMs: time.nowMs() }));
    return kind;
  }

  #outcomeOf(
    offset: number,
    decoded: Decoded<E>,
    whyRefused: string | undefined,
  ): Outcome | { readonly kind: 'repeat' } {
    if ('problem' in decoded) return { kind: 'park', reason: 'RECORD_NOT_READABLE', detail: decoded.problem };
    const { seen, processor } = this.#options;
    if (!seen.take(decoded.value.eventId, decoded.value.receivedAt)) return { kind: 'repeat' };
    if (whyRefused !== undefined) return { kind: 'park', reason: 'OUTPUT_REFUSED', detail: whyRefused };
    return processor.take({ value: decoded.value, offset });
  }
}

/** An output goes on with the trace of the event that it comes from. */
function traced(output: TopicRecord, record: ConsumedRecord): TopicRecord {
  const traceparent = record.headers?.['traceparent'];
  if (traceparent === undefined || output.headers?.['traceparent'] !== undefined) return output;
  return { ...output, headers: { ...output.headers, traceparent: traceparent.toString() } };
}
