import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { commandOf } from '../../ingest/tencent/commands.ts';
import { ingestTopicIds } from '../../ingest/tencent/request.ts';
import { restoreBody } from '../../ingest/tencent/restore.ts';
import type { Envelope } from '../../schemas/generated/events.ts';
import { sdkAppId, vector, verdictCommand } from '../support/callbacks.ts';
import { documentedValues } from '../support/documented-values.ts';
import { findIndependentReader } from '../support/independent-reader/reader.ts';
import { startTestIngest } from '../support/pipeline.ts';
import { lostValues } from '../support/restore.ts';
import { type Sample, samples } from '../support/samples.ts';

const reader = await findIndependentReader();
const missing = 'missing' in reader ? ` (skipped: ${reader.missing})` : '';

/** What both documents' samples of a verdict say, by hand. */
const verdictValues = {
  sdkAppId,
  command: verdictCommand,
  occurredAt: 1661154487000,
  clientIp: null,
  optPlatform: null,
  extras: null,
  scene: 'C2C',
  fromAccount: 'jared',
  contactType: 'C2C',
  toAccount: 'Jonh',
  toGroupId: null,
  contentType: 'Text',
  textContent: ['aaabbbccc', '1234567'],
  fileUrl: null,
  msgId: '1434460578_4137340972_1661154487',
  result: 'BLOCKED',
  suggestion: null,
  suggestionRaw: null,
  label: null,
  subLabel: null,
  subLabelDescription: null,
  libraryName: null,
  keywords: [],
  moderationRequestId: '241ed925-4c56-4357-95dd-1e6e7798f214',
  cloudCustomData: null,
  isRestApi: null,
};

/** The callbacks that a sample holds: its body, or the items of its batch. */
function callbacksOf({ command, body }: Sample): readonly Record<string, never>[] {
  const { batch } = commandOf(command);
  return batch === undefined ? [JSON.parse(body)] : JSON.parse(body)[batch];
}

describe.skipIf('missing' in reader)(`Python's fastavro${missing}, from the topics`, () => {
  /** What it decodes, by the sample that was sent. */
  let decoded: ReadonlyMap<unknown, readonly Envelope[]>;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    if ('missing' in reader) return;
    const ingest = await startTestIngest();
    stop = ingest.stop;
    await ingest.ready();
    const counts = new Map(ingestTopicIds.map((id) => [id, 0]));
    for (const sample of samples) {
      const { topic } = commandOf(sample.command).family;
      const { status } = await ingest.post(sample.body, {
        command: sample.command,
        query: { RequestID: sample.name },
      });
      expect(status, sample.name).toBe(200);
      counts.set(topic, (counts.get(topic) ?? 0) + callbacksOf(sample).length);
    }
    const raw: Buffer[] = [];
    for (const [id, count] of counts) {
      expect(await ingest.count(id), id).toBe(count);
      if (count === 0) continue;
      for (const event of await ingest.read(id, count)) raw.push(event.raw.value ?? Buffer.alloc(0));
    }
    const events = (await reader(raw, inject('cluster')['SCHEMA_REGISTRY_URL'] ?? '')) as readonly Envelope[];
    decoded = Map.groupBy(events, ({ requestId }) => requestId);
  });

  afterAll(() => stop());

  it.each(samples)('decodes $name to the values of its body', (sample) => {
    const events = (decoded.get(sample.name) ?? []).toSorted((a, b) => (a.occurredAt ?? 0) - (b.occurredAt ?? 0));
    const callbacks = callbacksOf(sample);
    expect(events.length).toBe(callbacks.length);
    events.forEach((event, index) => {
      const body = callbacks[index] ?? {};
      expect(lostValues(body, restoreBody(event))).toEqual([]);
      if (sample.command === verdictCommand || commandOf(sample.command).family.topic === 'callback') return;
      expect(event).toMatchObject(documentedValues(body));
    });
  });

  it.each(['console-guide', 'result-page'])(
    'decodes the verdict of the %s to the values written down by hand',
    (page) => {
      const name = `${verdictCommand}.${page}`;
      const [event] = decoded.get(name) ?? [];
      expect(JSON.parse(vector(name))).toBeTypeOf('object');
      expect(event).toMatchObject(verdictValues);
    },
  );
});
