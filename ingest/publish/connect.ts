import { type Clock, sleep } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ConnectedSink } from '../../lib/kafka/ports.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Cluster, type Destination, learnDestinations } from '../../schemas/destinations.ts';
import { type IngestTopicId, ingestTopicIds } from '../tencent/request.ts';

export interface ConnectOptions extends Cluster {
  readonly sink: ConnectedSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told why an attempt failed, a sentence. */
  readonly onFailure: (reason: string) => void;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
}

const pauseMs = 2_000;

/**
 * Connects to broker and registry and learns what the publisher must know, trying again every 2 s until it succeeds; why it
 * does not is logged each time. `undefined` when the signal ended it.
 */
export async function connect(options: ConnectOptions): Promise<ReadonlyMap<IngestTopicId, Destination> | undefined> {
  const { clock, logger, signal } = options;
  while (!signal.aborted) {
    try {
      const found = await learnDestinations(options, ingestTopicIds);
      if (signal.aborted) return undefined;
      await options.sink.connect();
      return found;
    } catch (error) {
      const reason = messageOf(error);
      options.onFailure(reason);
      logger.warn({ reason }, 'Kafka or the schema registry is not ready, trying again');
      await sleep(clock, pauseMs);
    }
  }
  return undefined;
}
