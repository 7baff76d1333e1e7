import { readSettings } from '../../lib/config/read.ts';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../schemas/codec.ts';
import type { ContentVerdict, PushEvent } from '../../schemas/generated/events.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { schemaSettings } from '../../schemas/settings.ts';
import { topicName } from '../../schemas/topics.ts';
import type { Found } from './judge.ts';

/** Everything on the topics that the sender's events go to, decoded by the registry's schemas, in order of each partition. */
export async function readFound(env: Readonly<Record<string, string>>): Promise<readonly Found[]> {
  const values = readSettings({ ...kafkaSettings, ...schemaSettings }, { env, file: {}, running: {} });
  const registry = createSchemaRegistry(values);
  const found: Found[] = [];
  await readTopics({
    cluster: clusterOptions(values, 'imwatch-faults'),
    logger: silentLogger,
    topics: [topicName(values.topicPrefix, 'verdict'), topicName(values.topicPrefix, 'push')],
    start: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onCaughtUp: () => undefined,
    onRecord: async ({ value }) => {
      if (value === null) return;
      const type = await registry.writerType(schemaIdOf(value) ?? 0);
      const event = decodeAs(type, value) as ContentVerdict | PushEvent;
      const id = 'msgId' in event ? event.msgId : event.pushId;
      const [key = '', sequence] = (id ?? '').split('#');
      found.push({ eventId: event.eventId, key, sequence: Number(sequence) });
    },
  });
  return found;
}
