import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { readPenaltiesConfig } from '../../consumers/penalties/config.ts';
import { startPenalties } from '../../consumers/penalties/main.ts';
import { readSettings } from '../../lib/config/read.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { silentLogger } from '../../lib/logger.ts';
import { learnDestinations } from '../../schemas/destinations.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { clusterSettings } from '../../schemas/settings.ts';
import { topicName } from '../../schemas/topics.ts';
import { startTestConsumer } from '../support/consumer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { readDecoded, serviceEnvironment } from '../support/pipeline.ts';
import { aVerdict } from '../support/verdicts.ts';

/** Topics of a chapter's own, and what it does with them. */
export async function aPlace() {
  const env = serviceEnvironment({ ...inject('cluster') });
  const values = readSettings(clusterSettings, { env, file: {}, running: {} });
  const kafka = createKafka(values, 'imwatch-guide', silentLogger);
  const registry = createSchemaRegistry(values);
  const writer = new RecordWriter(await learnDestinations({ kafka, registry, values }, ['verdict']));
  const sink = new IdempotentSink(clusterOptions(values, 'imwatch-guide'));
  await sink.connect();
  return {
    env,
    values,
    kafka,
    verdicts: topicName(values.topicPrefix, 'verdict'),
    /** Blocked verdicts of a user, each with an id of its own unless they are given. */
    sendVerdicts: async (account: string, count: number, eventId?: string): Promise<void> => {
      const records = Array.from({ length: count }, () => {
        const value = aVerdict({
          fromAccount: account,
          eventId: eventId ?? randomBytes(16).toString('hex'),
          receivedAt: Date.now(),
        });
        return writer.recordOf({
          topic: 'verdict',
          key: `${value.sdkAppId}/${account}`,
          value,
          timestampMs: Date.now(),
        });
      });
      await sink.send(records);
    },
    send: (record: OutgoingRecord): Promise<void> => sink.send([record]),
    /** Penalties, a real consumer: three strikes of a user lead to a decision. */
    startPenalties: (more: Readonly<Record<string, string>> = {}) =>
      startTestConsumer(startPenalties, readPenaltiesConfig, { ...env, ...more }, new ManualClock(Date.now())),
    /** The first `count` entries of the ledger. */
    ledger: (count: number) => readDecoded(env, 'penalty.ledger', count),
    deadLetters: (count: number) => readDecoded(env, 'dead-letter', count),
    end: () => sink.disconnect(),
  };
}
