import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Batcher } from '../../../ingest/publish/batcher.ts';
import { Drainer } from '../../../ingest/publish/drainer.ts';
import { EventPreparer, spooledOf } from '../../../ingest/publish/prepared.ts';
import { Publisher } from '../../../ingest/publish/publisher.ts';
import { fingerprintBytes, type SpooledRecord } from '../../../ingest/spool/frame.ts';
import { Quarantine } from '../../../ingest/spool/quarantine.ts';
import { Spool } from '../../../ingest/spool/spool.ts';
import type { IngestTopicId } from '../../../ingest/tencent/request.ts';
import { RecordRefusedError } from '../../../lib/kafka/record-refused.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { schemaIdOf } from '../../../schemas/codec.ts';
import { eventsOf, sdkAppId, smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { ControlledSink } from '../../support/controlled-sink.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const todaysId = 7;
const olderId = 5;
const older = Buffer.alloc(fingerprintBytes, 1);
const destinations = new Map<IngestTopicId, { topic: string; partitions: number; schemaId: number }>([
  ['verdict', { topic: 'im.verdict.v1', partitions: 12, schemaId: todaysId }],
]);
const preparer = new EventPreparer(false);

function from(account: string): SpooledRecord {
  const [event] = eventsOf({ command: verdictCommand, body: { ...smallestVerdict, From_Account: account } });
  if (event === undefined) throw new Error('expected an event');
  return spooledOf(preparer.prepare(event, undefined));
}

const keysOf = (accounts: readonly string[]) => accounts.map((account) => `${sdkAppId}/${account}`);

function setUp(...spooled: readonly SpooledRecord[]) {
  return setUpWith({ queueBytes: 1e8 }, ...spooled);
}

async function setUpWith({ queueBytes }: { readonly queueBytes: number }, ...spooled: readonly SpooledRecord[]) {
  const root = makeTestFolder();
  const clock = new ManualClock();
  const sink = new ControlledSink();
  const batcher = new Batcher(sink, { partitionBytes: 1e6, batchBytes: 1e7, queueBytes }, clock, silentLogger);
  const limits = { maxBytes: 1e7, maxAgeMs: 1e9, segmentBytes: 1e6, waitingBytes: 1e7 };
  const spool = await Spool.open(root, limits, clock, silentLogger);
  onTestFinished(() => spool.close());
  const quarantine = new Quarantine(root, clock);
  const quarantined: string[] = [];
  const onQuarantined = (what: string) => void quarantined.push(what);
  let drained = 0;
  const publisher = new Publisher({
    preparer,
    batcher,
    spool,
    quarantine,
    clock,
    deadlineMs: 1_200,
    onSpooling: () => drainer.wake(),
    onQuarantined: ({ topic }) => onQuarantined(topic),
  });
  const drainer = new Drainer({
    spool,
    quarantine,
    batcher,
    publisher,
    schemaIdOf: (_topic, fingerprint) =>
      Promise.resolve(fingerprint.equals(older) ? olderId : fingerprint[0] === 2 ? undefined : todaysId),
    clock,
    logger: silentLogger,
    onDrained: (records) => {
      drained += records;
    },
    onQuarantined,
  });
  if (spooled.length > 0) await spool.append(spooled);
  const files = () => readdirSync(join(root, 'quarantine'));
  const isDirect = async () => {
    while (publisher.way === 'disk') await turn();
  };
  return { root, clock, sink, spool, publisher, drainer, quarantined, files, isDirect, drained: () => drained };
}

describe('Drainer', () => {
  it('sends what is spooled in order, and then lets new events go to Kafka directly', async () => {
    const { sink, spool, publisher, isDirect, drained } = await setUp(from('a'), from('b'), from('a'));
    publisher.open(destinations);
    const batch = await sink.batch(0);
    expect(batch.records.map(({ key }) => key.toString()).toSorted()).toEqual(keysOf(['a', 'a', 'b']));
    expect(publisher.way).toBe('disk');
    batch.succeed();
    await isDirect();
    expect(spool.isEmpty).toBe(true);
    expect(drained()).toBe(3);
  });

  it('goes to Kafka directly at once when nothing is spooled', async () => {
    const { sink, publisher, isDirect } = await setUp();
    publisher.open(destinations);
    await isDirect();
    expect(sink.sent).toHaveLength(0);
  });

  it('writes a record of an earlier schema with the id of that schema', async () => {
    const { sink, publisher } = await setUp({ ...from('a'), fingerprint: older }, from('a'));
    publisher.open(destinations);
    const { records, succeed } = await sink.batch(0);
    expect(records.map(({ value }) => value && schemaIdOf(value))).toEqual([olderId, todaysId]);
    succeed();
  });

  it('keeps in quarantine what nobody knows the schema or the topic of, and what Kafka refuses, and goes on', async () => {
    const { sink, publisher, quarantined, files, isDirect } = await setUp(
      { ...from('a'), fingerprint: Buffer.alloc(fingerprintBytes, 2) },
      { ...from('b'), topic: 'gone' },
      from('c'),
    );
    publisher.open(destinations);
    (await sink.batch(0)).fail(new RecordRefusedError('too large'));
    await isDirect();
    expect(quarantined.toSorted()).toEqual([
      'Nobody knows its topic or its schema',
      'Nobody knows its topic or its schema',
      'too large',
    ]);
    expect(files()).toHaveLength(3);
  });

  it('holds no event back while Kafka takes nothing', async () => {
    const { sink, publisher } = await setUp(from('a'));
    publisher.open(destinations);
    await sink.batch(0);
    const events = eventsOf({ command: verdictCommand, body: { ...smallestVerdict, From_Account: 'b' } });
    await expect(publisher.publish(events, undefined)).resolves.toBe('disk');
  });

  it('moves a segment to quarantine that cannot be read again and again, and goes on', async () => {
    const { clock, sink, spool, publisher, quarantined, isDirect } = await setUp(from('a'));
    const segment = await spool.oldest();
    // A folder in place of the file: reading it fails, whoever asks.
    rmSync(segment?.path ?? '');
    mkdirSync(segment?.path ?? '');
    publisher.open(destinations);
    const startMs = clock.nowMs();
    while (quarantined.length === 0) {
      await turn();
      clock.advance(500);
    }
    // 20 tries, with 19 pauses between them.
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(19 * 500);
    await isDirect();
    expect(quarantined).toEqual([expect.stringMatching(/^a segment that cannot be read: EISDIR/)]);
    expect(sink.sent).toEqual([]);
  });

  it('keeps damaged bytes in quarantine, and sends what stands before them', async () => {
    const { sink, spool, publisher, quarantined, files, isDirect } = await setUp(from('a'));
    const segment = await spool.oldest();
    appendFileSync(segment?.path ?? '', 'damage');
    publisher.open(destinations);
    (await sink.batch(0)).succeed();
    await isDirect();
    expect(quarantined).toEqual(['6 bytes without a whole record']);
    expect(files()).toEqual([expect.stringMatching(/\.damaged$/)]);
  });

  it('sends what is adopted later while new events go to Kafka directly, and keeps none of them waiting', async () => {
    const { root, sink, spool, publisher, drainer, isDirect, drained } = await setUp();
    publisher.open(destinations);
    await isDirect();
    const limits = { maxBytes: 1e7, maxAgeMs: 1e9, segmentBytes: 1e6, waitingBytes: 1e7 };
    const other = await Spool.open(root, limits, new ManualClock(), silentLogger);
    await other.append([from('a')]);
    await other.close();
    await spool.adopt();
    drainer.wake();
    const adopted = await sink.batch(0);
    const published = publisher.publish(eventsOf({ command: verdictCommand, body: smallestVerdict }), undefined);
    expect(publisher.way).toBe('kafka');
    adopted.succeed();
    (await sink.batch(1)).succeed();
    expect(await published).toBe('kafka');
    await expect.poll(() => [spool.isEmpty, drained()]).toEqual([true, 1]);
  });

  it('moves the segment itself where damaged bytes cannot be copied, so that a full disk becomes empty', async () => {
    const { root, clock, sink, spool, publisher, quarantined, isDirect, files } = await setUp(from('a'));
    const segment = await spool.oldest();
    appendFileSync(segment?.path ?? '', 'damage');
    const taken = `${clock.nowMs()}-${process.pid}-1.damaged`;
    mkdirSync(join(root, 'quarantine', taken), { recursive: true });
    publisher.open(destinations);
    (await sink.batch(0)).succeed();
    await isDirect();
    expect(quarantined).toEqual(['6 bytes without a whole record']);
    expect(files()).toEqual([taken, expect.stringMatching(/-2\.whole$/)]);
    expect(spool.isEmpty).toBe(true);
  });

  it('sends each record once and in order through a queue that takes but a few of them', async () => {
    const accounts = Array.from({ length: 20 }, () => 'a');
    const { sink, publisher, isDirect, drained } = await setUpWith({ queueBytes: 1_500 }, ...accounts.map(from));
    publisher.open(destinations);
    let isOver = false;
    const direct = isDirect().then(() => {
      isOver = true;
    });
    for (let next = 0; !isOver; ) {
      if (next < sink.sent.length) sink.sent[next++]?.succeed();
      else await turn();
    }
    await direct;
    expect(sink.sent.length).toBeGreaterThan(2);
    expect(sink.keys.flat()).toEqual(keysOf(accounts));
    expect(drained()).toBe(20);
  });

  it('sends a record that is larger than the queue alone', async () => {
    const { sink, publisher, isDirect } = await setUpWith({ queueBytes: 10 }, from('a'), from('b'));
    publisher.open(destinations);
    (await sink.batch(0)).succeed();
    (await sink.batch(1)).succeed();
    await isDirect();
    expect(sink.keys).toEqual([keysOf(['a']), keysOf(['b'])]);
  });

  it('goes on when somebody has removed a file of the spool', async () => {
    const { spool, publisher, isDirect } = await setUp(from('a'));
    rmSync((await spool.oldest())?.path ?? '');
    publisher.open(destinations);
    await isDirect();
    expect(spool.isEmpty).toBe(true);
  });

  it('is stopped when the chunk under way is done, and leaves nothing half done', async () => {
    const { sink, spool, publisher, drainer } = await setUp(from('a'));
    publisher.open(destinations);
    const batch = await sink.batch(0);
    let isStopped = false;
    const stopping = drainer.stop().then(() => {
      isStopped = true;
    });
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(isStopped).toBe(false);
    batch.succeed();
    await stopping;
    expect(spool.isEmpty).toBe(true);
  });
});
