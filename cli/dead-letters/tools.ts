import type { Kafka } from 'kafkajs';
import { ingestSettings, textProblems } from '../../ingest/config.ts';
import { createTextPolicy } from '../../ingest/tencent/text-policy.ts';
import { readSettings, type Values } from '../../lib/config/read.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import type { ClusterOptions } from '../../lib/kafka/cluster.ts';
import { type Logger, silentLogger } from '../../lib/logger.ts';
import { watchStopSignals } from '../../lib/stop-signals.ts';
import { createSchemaRegistry, type SchemaRegistry } from '../../schemas/registry.ts';
import { clusterProblems, clusterSettings } from '../../schemas/settings.ts';
import { exitCodes } from '../exit-codes.ts';
import { commandSources } from '../settings.ts';
import { Attempts } from './attempt.ts';

const { textMode, idSecret, cloudEvents } = ingestSettings;
const settings = { textMode, idSecret, cloudEvents, ...clusterSettings };

/** What every command about dead letters needs. */
export interface Tools {
  readonly values: Values<typeof settings>;
  readonly kafka: Kafka;
  readonly cluster: ClusterOptions;
  readonly logger: Logger;
  readonly registry: SchemaRegistry;
  readonly topicPrefix: string;
  readonly attempts: Attempts;
  readonly stop: AbortController;
  readonly signal: AbortSignal;
}

/** Runs `use` with the settings of ingest and cluster; Ctrl-C aborts its signal, another one more than a second later ends it. */
export async function withTools(use: (tools: Tools) => Promise<void>): Promise<void> {
  const values = readSettings(settings, await commandSources(), (read) => [
    ...textProblems(read),
    ...clusterProblems(read),
  ]);
  const kafka = createKafka(values, 'imwatch-dead-letters', silentLogger);
  const cluster = clusterOptions(values, 'imwatch-dead-letters');
  const registry = createSchemaRegistry(values);
  const { topicPrefix } = values;
  // Nobody waits for an answer any more.
  const answers = new Map<string, never>();
  const rules = { texts: createTextPolicy(values.textMode, values.idSecret), idSecret: values.idSecret, answers };
  const attempts = new Attempts({ rules, registry, topicPrefix });
  const stop = new AbortController();
  const endWatch = watchStopSignals(
    () => stop.abort(),
    () => process.exit(exitCodes.interrupted),
  );
  try {
    await use({
      values,
      kafka,
      cluster,
      logger: silentLogger,
      registry,
      topicPrefix,
      attempts,
      stop,
      signal: stop.signal,
    });
  } finally {
    endWatch();
  }
}
