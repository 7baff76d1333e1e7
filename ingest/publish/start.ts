import type { Registry } from 'prom-client';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { RecordSink } from '../../lib/kafka/ports.ts';
import type { Logger } from '../../lib/logger.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import type { IngestConfig } from '../config.ts';
import { Quarantine } from '../spool/quarantine.ts';
import { Spool } from '../spool/spool.ts';
import { Batcher } from './batcher.ts';
import { Drainer } from './drainer.ts';
import { createPublishMetrics } from './metrics.ts';
import { EventPreparer } from './prepared.ts';
import { Publisher } from './publisher.ts';
import { SpooledSchemaIds } from './schema-ids.ts';

/** Below Kafka's default of 1 MiB for a batch of one partition, with room for what Kafka adds. */
const partitionBytes = 900 * 1024;
const batchBytes = 8 * 1024 * 1024;
/** What a crash makes the drain repeat at most. */
const segmentBytes = 8 * 1024 * 1024;

export interface PublishingParts {
  readonly config: IngestConfig;
  readonly sink: RecordSink;
  readonly registry: SchemaRegistry;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What makes events durable: the batcher in front of Kafka, the spool beside it, and what moves the one to the other. */
export interface Publishing {
  readonly publisher: Publisher;
  readonly batcher: Batcher;
  readonly spool: Spool;
  /** Takes over what processes that have ended since the start have left in the spool. */
  adopt(): Promise<void>;
  /** Gives what is in memory a last `graceMs` to reach Kafka; what is spooled stays for the next process. */
  stop(graceMs: number): Promise<void>;
}

export async function startPublishing(parts: PublishingParts): Promise<Publishing> {
  const { config, sink, registry, metrics, clock, logger } = parts;
  const { deadlineMs, spoolFolder } = config;
  const limits = { partitionBytes, batchBytes, queueBytes: config.queueBytes };
  const batcher = new Batcher(sink, limits, clock, logger);
  const spoolLimits = {
    maxBytes: config.spoolBytes,
    maxAgeMs: config.spoolMaxAgeMs,
    segmentBytes,
    // All that waited for Kafka, and as much again that comes meanwhile.
    waitingBytes: 2 * config.queueBytes,
  };
  const spool = await Spool.open(spoolFolder, spoolLimits, clock, logger);
  const quarantine = new Quarantine(spoolFolder, clock);
  const numbers = createPublishMetrics(metrics, batcher, spool, () => clock.nowMs());
  const onQuarantined = (what: string, path: string): void => {
    numbers.quarantined();
    logger.error({ path, what }, 'kept in quarantine');
  };
  const publisher = new Publisher({
    preparer: new EventPreparer(config.cloudEvents),
    batcher,
    spool,
    quarantine,
    clock,
    deadlineMs,
    onSpooling: () => drainer.wake(),
    onQuarantined: ({ topic }, path) => onQuarantined(`Kafka refuses a record for ${topic}`, path),
  });
  const schemaIds = new SpooledSchemaIds(registry, config.topicPrefix, () => publisher.destinations);
  const drainer = new Drainer({
    spool,
    quarantine,
    batcher,
    publisher,
    schemaIdOf: (topic, fingerprint) => schemaIds.idOf(topic, fingerprint),
    clock,
    logger,
    onDrained: (records) => numbers.drained(records),
    onQuarantined,
  });
  return {
    publisher,
    batcher,
    spool,
    adopt: async () => {
      try {
        await spool.adopt();
      } catch (error) {
        logger.warn({ reason: messageOf(error) }, 'the spool of a process that has ended is left for the next start');
      }
      drainer.wake();
    },
    stop: async (graceMs) => {
      const done = Promise.all([drainer.stop(), batcher.drained()]);
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(graceMs, late.resolve);
      await Promise.race([done, late.promise]);
      cancel();
      await spool.close();
    },
  };
}
