import { randomBytes } from 'node:crypto';
import { readSettings } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { silentLogger } from '../../lib/logger.ts';
import { learnDestinations } from '../../schemas/destinations.ts';
import type { ContentVerdict } from '../../schemas/generated/events.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { clusterSettings } from '../../schemas/settings.ts';
import type { TopicId } from '../../schemas/topics.ts';

/** Settings, topics and a writer of one measurement; its topics begin with `IMWATCH_TOPIC_PREFIX`. */
export async function openPlace() {
  const { env } = processSources();
  const values = readSettings(clusterSettings, { env, file: {}, running: {} });
  const kafka = createKafka(values, 'imwatch-bench', silentLogger);
  const registry = createSchemaRegistry(values);
  const ids = [
    'verdict',
    'penalty.state',
    'penalty.ledger',
    'penalties.progress',
    'dead-letter',
  ] as const satisfies readonly TopicId[];
  const destinations = await learnDestinations({ kafka, registry, values }, ids);
  const sink = new IdempotentSink(clusterOptions(values, 'imwatch-bench'));
  await sink.connect();
  return { env, values, kafka, registry, destinations, sink, writer: new RecordWriter(destinations) };
}

/** A blocked verdict of one of `users` users. */
export function aVerdict(number: number, users: number): ContentVerdict {
  return {
    eventId: randomBytes(16).toString('hex'),
    sdkAppId: 1400187352,
    command: 'ContentCallback.ResultNotify',
    receivedAt: Date.now(),
    occurredAt: null,
    clientIp: '203.0.113.7',
    optPlatform: 'Android',
    requestId: null,
    requestTime: null,
    extras: null,
    scene: 'Group',
    fromAccount: `user-${number % users}`,
    contactType: 'GROUP',
    toAccount: null,
    toGroupId: '@TGS#2J4SZEAEL',
    contentType: 'Text',
    textContent: ['a text that somebody has written, of about the length that such texts have'],
    fileUrl: null,
    msgId: `${number}`,
    result: 'BLOCKED',
    suggestion: 'BLOCK',
    suggestionRaw: 'Block',
    label: 'Ad',
    subLabel: 'ContactAd',
    subLabelDescription: null,
    libraryName: null,
    keywords: ['somebody'],
    moderationRequestId: '7c8b7d1e-2d2f-4d0e-9e7e-000000000000',
    cloudCustomData: null,
    isRestApi: null,
  };
}

/** Writes `count` verdicts of `users` users. */
export async function writeVerdicts(
  { sink, writer }: Pick<Awaited<ReturnType<typeof openPlace>>, 'sink' | 'writer'>,
  count: number,
  users: number,
): Promise<void> {
  const atOnce = 2_000;
  for (let written = 0; written < count; written += atOnce) {
    await sink.send(
      Array.from({ length: Math.min(atOnce, count - written) }, (_, index) => {
        const value = aVerdict(written + index, users);
        return writer.recordOf({
          topic: 'verdict',
          key: `${value.sdkAppId}/${value.fromAccount}`,
          value,
          timestampMs: value.receivedAt,
        });
      }),
    );
  }
}

/** What a measurement tells of itself, a line of JSON on its standard output. */
export function tell(figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Value below which a share of `values` lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
