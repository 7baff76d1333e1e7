import { describe, expect, inject, it } from 'vitest';
import { sdkAppId, vector, verdictCommand } from '../support/callbacks.ts';
import { findIndependentReader } from '../support/independent-reader/reader.ts';
import { startTestIngest } from '../support/pipeline.ts';

const reader = await findIndependentReader();
const missing = 'missing' in reader ? ` (skipped: ${reader.missing})` : '';

/** What both documents' samples say, by hand. */
const sampleValues = {
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

describe(`Python's fastavro${missing}`, () => {
  it.skipIf('missing' in reader)(
    'decodes the samples of both documents from the topic to exactly the values of the body',
    async () => {
      if ('missing' in reader) return;
      const ingest = await startTestIngest();
      await ingest.ready();
      for (const page of ['console-guide', 'result-page']) await ingest.post(vector(`${verdictCommand}.${page}`));
      const events = await ingest.read('verdict', 2);
      const decoded = await reader(
        events.map(({ raw }) => raw.value ?? Buffer.alloc(0)),
        inject('cluster')['SCHEMA_REGISTRY_URL'] ?? '',
      );
      expect(decoded).toEqual(
        events.map(({ value }) => ({
          ...sampleValues,
          eventId: value.eventId,
          receivedAt: value.receivedAt,
          requestId: null,
          requestTime: value.requestTime,
        })),
      );
      await ingest.stop();
    },
  );
});
