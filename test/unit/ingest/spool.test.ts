import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeFrame, encodeFrame, fingerprintBytes, type SpooledRecord } from '../../../ingest/spool/frame.ts';
import { readSegment } from '../../../ingest/spool/segment.ts';
import { Spool, SpoolError, type SpoolLimits } from '../../../ingest/spool/spool.ts';
import { messageOf, UserError } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { noPrlimit, prlimitNote } from '../../support/file-size-limit.ts';
import { writeUntilFull } from '../../support/full-disk-writer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const hourMs = 3_600_000;
const limits: SpoolLimits = { maxBytes: 1e6, maxAgeMs: hourMs, segmentBytes: 1e5, waitingBytes: 1e6 };

function record(name: string, bodyBytes = 20): SpooledRecord {
  return {
    topic: 'verdict',
    fingerprint: Buffer.alloc(fingerprintBytes, 7),
    key: Buffer.from(name),
    body: Buffer.alloc(bodyBytes, name),
    timestampMs: 1_700_000_000_123,
    headers: {},
  };
}

async function openSpool(root: string, more: Partial<SpoolLimits> = {}, clock = new ManualClock()) {
  const spool = await Spool.open(root, { ...limits, ...more }, clock, silentLogger);
  onTestFinished(() => spool.close().catch(() => undefined));
  return spool;
}

/** Takes everything from the front of a spool: keys in order. */
async function drained(spool: Spool): Promise<readonly string[]> {
  const keys: string[] = [];
  for (;;) {
    const segment = await spool.oldest();
    if (segment === undefined) return keys;
    const { records } = await readSegment(segment.path);
    keys.push(...records.map(({ key }) => key.toString()));
    await spool.remove(segment);
  }
}

function segmentsIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.seg'))
    .map((name) => join(root, name))
    .toSorted();
}

describe('a frame', () => {
  it('gives back every record', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array(),
        fc.dictionary(fc.string(), fc.string()),
        fc.integer({ min: 0 }),
        (key, body, headers, timestampMs) => {
          const given: SpooledRecord = {
            topic: 'message',
            fingerprint: Buffer.alloc(fingerprintBytes, 1),
            key: Buffer.from(key),
            body: Buffer.from(body),
            timestampMs,
            headers: { ...headers },
          };
          const bytes = Buffer.concat([Buffer.from('before'), encodeFrame(given), Buffer.from('behind')]);
          const found = decodeFrame(bytes, 6);
          expect(found?.end).toBe(bytes.length - 6);
          expect(found?.record.key.equals(given.key) && found.record.body.equals(given.body)).toBe(true);
          expect(found?.record).toMatchObject({ topic: 'message', timestampMs, fingerprint: given.fingerprint });
          expect(Object.entries(found?.record.headers ?? {})).toEqual(Object.entries(given.headers));
        },
      ),
    );
  });

  it('is none when a byte of it is another', () => {
    const bytes = encodeFrame(record('a'));
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8((damaged.readUInt8(at) + 1) % 256, at);
      expect(decodeFrame(damaged, 0), `byte ${at}`).toBeUndefined();
    }
  });
});

describe('the spool', () => {
  it('gives records back in the order in which they were appended', async () => {
    const spool = await openSpool(makeTestFolder());
    expect(spool.isEmpty).toBe(true);
    await Promise.all(['a', 'b', 'c'].map((name) => spool.append([record(name), record(`${name}2`)])));
    expect(spool.isEmpty).toBe(false);
    expect(await drained(spool)).toEqual(['a', 'a2', 'b', 'b2', 'c', 'c2']);
    expect(spool.isEmpty).toBe(true);
    expect(spool.bytes).toBe(0);
  });

  it('begins a new segment when one is large, and keeps the order over them', async () => {
    const root = makeTestFolder();
    const spool = await openSpool(root, { segmentBytes: 1_000 });
    const names = Array.from({ length: 50 }, (_, index) => `k${index}`);
    for (const name of names) await spool.append([record(name, 100)]);
    expect(segmentsIn(root).length).toBeGreaterThan(5);
    expect(await drained(spool)).toEqual(names);
    expect(segmentsIn(root)).toEqual([]);
  });

  it('takes what comes while the oldest segment is taken away', async () => {
    const spool = await openSpool(makeTestFolder());
    await spool.append([record('a')]);
    const oldest = await spool.oldest();
    await spool.append([record('b')]);
    expect(oldest).toBeDefined();
    if (oldest !== undefined) await spool.remove(oldest);
    expect(await drained(spool)).toEqual(['b']);
  });

  it('is there for the next process, whoever left it behind', async () => {
    const root = makeTestFolder();
    const clock = new ManualClock();
    const first = await openSpool(root, {}, clock);
    await first.append([record('a')]);
    await first.close();
    clock.advance(1_000);
    const second = await openSpool(root, {}, clock);
    expect(second.isEmpty).toBe(false);
    await second.append([record('b')]);
    await second.close();
    clock.advance(1_000);
    const third = await openSpool(root, {}, clock);
    await third.append([record('c')]);
    expect(await drained(third)).toEqual(['a', 'b', 'c']);
  });

  it('leaves alone what a living process holds', async () => {
    const root = makeTestFolder();
    const first = await openSpool(root);
    await first.append([record('a')]);
    const second = await openSpool(root);
    expect(second.isEmpty).toBe(true);
    expect(await drained(second)).toEqual([]);
    expect(await drained(first)).toEqual(['a']);
  });

  it('takes over, while it runs, what a process that has ended since left, before its own', async () => {
    const root = makeTestFolder();
    const [first, second] = [await openSpool(root), await openSpool(root)];
    await first.append([record('a'), record('b')]);
    await second.append([record('c')]);
    await second.adopt();
    expect(second.bytes).toBeLessThan(first.bytes * 2);
    await first.close();
    await second.adopt();
    await second.append([record('d')]);
    expect(await drained(second)).toEqual(['a', 'b', 'c', 'd']);
    await second.close();
    expect(readdirSync(root)).toEqual([]);
  });

  it('takes over a folder without losing what is being taken from its front', async () => {
    const root = makeTestFolder();
    const [first, second] = [await openSpool(root), await openSpool(root)];
    await first.append([record('a')]);
    await second.append([record('b')]);
    const oldest = await second.oldest();
    if (oldest === undefined) throw new Error('expected a segment');
    await first.close();
    await second.adopt();
    await second.remove(oldest);
    expect(await drained(second)).toEqual(['a']);
  });

  it('has its folder for itself, however many look for folders without an owner at that moment', async () => {
    const root = makeTestFolder();
    const writers = await Promise.all(Array.from({ length: 20 }, () => openSpool(root)));
    const others = await Promise.all(Array.from({ length: 5 }, () => openSpool(root)));
    let isWritten = false;
    const looking = others.map(async (other) => {
      while (!isWritten) await other.adopt();
    });
    await Promise.all(writers.map((writer, index) => writer.append([record(String(index))])));
    isWritten = true;
    await Promise.all(looking);
    expect(await Promise.all(writers.map(drained))).toEqual(writers.map((_, index) => [String(index)]));
  });

  it('leaves no folder behind when it is empty', async () => {
    const root = makeTestFolder();
    const spool = await openSpool(root);
    await spool.append([record('a')]);
    await drained(spool);
    await spool.close();
    expect(readdirSync(root)).toEqual([]);
  });

  it('takes nothing above its size, and again when there is room', async () => {
    const spool = await openSpool(makeTestFolder(), { maxBytes: 1_000 });
    await spool.append([record('a', 700)]);
    await expect(spool.append([record('b', 700)])).rejects.toThrow(SpoolError);
    expect(spool.refusal).toBeUndefined();
    expect(await drained(spool)).toEqual(['a']);
    await spool.append([record('b', 700)]);
    expect(await drained(spool)).toEqual(['b']);
  });

  it('takes nothing while the oldest record waits for too long, and loses nothing', async () => {
    const clock = new ManualClock();
    const spool = await openSpool(makeTestFolder(), {}, clock);
    await spool.append([record('a')]);
    clock.advance(hourMs + 1);
    await expect(spool.append([record('b')])).rejects.toThrow('waits since 2023-11-14T22:13:20.000Z');
    expect(spool.refusal).toContain('waits since');
    expect(await drained(spool)).toEqual(['a']);
    await spool.append([record('b')]);
  });

  it('takes nothing more while its disk is slow and much waits for it', async () => {
    const spool = await openSpool(makeTestFolder(), { waitingBytes: 1_000 });
    const waiting = spool.append([record('a', 700)]);
    await expect(spool.append([record('b', 700)])).rejects.toThrow(/The disk is slow: 7\d\d bytes wait for it/);
    await waiting;
    await spool.append([record('c', 700)]);
    expect(await drained(spool)).toEqual(['a', 'c']);
  });

  it('counts what it has written', async () => {
    const spool = await openSpool(makeTestFolder());
    await spool.append([record('a'), record('b')]);
    await drained(spool);
    await spool.append([record('c')]);
    expect(spool.spooledRecords).toBe(3);
  });

  it('finds out by itself that a disk takes records again', async () => {
    const root = makeTestFolder();
    const clock = new ManualClock();
    const spool = await openSpool(root, {}, clock);
    await spool.append([record('a')]);
    await drained(spool);
    const folders = readdirSync(root);
    rmSync(root, { recursive: true });
    await expect(spool.append([record('b')])).rejects.toThrow('The spool cannot be written');
    clock.advance(1_000);
    await spool.oldest();
    expect(spool.refusal).toContain('The spool cannot be written');
    const [own = ''] = folders;
    mkdirSync(join(root, own), { recursive: true });
    clock.advance(1_000);
    await spool.oldest();
    expect(spool.refusal).toBeUndefined();
    expect(readdirSync(root)).toEqual([own]);
  });

  it('says why a disk does not take records, and goes on when it does', async () => {
    const root = makeTestFolder();
    const spool = await openSpool(root);
    await spool.append([record('a')]);
    await drained(spool);
    const [own = ''] = readdirSync(root);
    rmSync(join(root, own), { recursive: true });
    await expect(spool.append([record('b')])).rejects.toThrow('The spool cannot be written');
    expect(spool.refusal).toContain('The spool cannot be written');
    mkdirSync(join(root, own));
    await spool.append([record('c')]);
    expect(spool.refusal).toBeUndefined();
    expect(await drained(spool)).toEqual(['c']);
  });
});

describe.skipIf(noPrlimit !== undefined)(`a disk that is full in the middle of a write${prlimitNote}`, () => {
  it('refuses what does not fit, keeps what was acknowledged, and takes more when there is space', async () => {
    const root = makeTestFolder();
    const said = await writeUntilFull(root, { limitBytes: 4_096, bodyBytes: 300 });
    expect(said.acknowledgedBefore.length).toBeGreaterThan(5);
    expect(said.refusal).toContain('EFBIG');
    expect(said.refusalAtEnd).toBeNull();
    const [segment = ''] = segmentsIn(root);
    expect((await readSegment(segment)).torn).toHaveLength(0);
    const spool = await openSpool(root);
    expect(await drained(spool)).toEqual([...said.acknowledgedBefore, ...said.acknowledgedAfter]);
  });

  it('leaves no file that could not be begun', async () => {
    const root = makeTestFolder();
    const said = await writeUntilFull(root, { limitBytes: 0, bodyBytes: 10 });
    expect(said.acknowledgedBefore).toEqual([]);
    expect(said.segmentsWhileFull).toBe(0);
    const spool = await openSpool(root);
    expect(await drained(spool)).toEqual(said.acknowledgedAfter);
    expect(said.acknowledgedAfter).toHaveLength(3);
  });
});

describe('a folder that cannot be one', () => {
  it('is named, with the setting and why', async () => {
    const file = join(makeTestFolder(), 'file');
    writeFileSync(file, '');
    const opening = Spool.open(join(file, 'spool'), limits, new ManualClock(), silentLogger);
    await expect(opening).rejects.toThrow(UserError);
    const message = await opening.catch(messageOf);
    expect(message).toMatch(/The spool cannot be kept in .*INGEST_SPOOL_DIR.*ENOTDIR/);
  });
});

describe('a spool whose process was killed', () => {
  it('holds every record that was acknowledged, wherever the last write was cut', async () => {
    const names = ['a', 'bb', 'ccc'];
    const whole = makeTestFolder();
    const first = await openSpool(whole);
    const ends: number[] = [];
    for (const name of names) {
      await first.append([record(name)]);
      ends.push(first.bytes);
    }
    await first.close();
    const [segment = ''] = segmentsIn(whole);
    const bytes = readFileSync(segment);
    expect(bytes.length).toBe(ends.at(-1));

    for (let cut = 0; cut <= bytes.length; cut += 1) {
      writeFileSync(segment, bytes.subarray(0, cut));
      const { records, torn } = await readSegment(segment);
      const acknowledged = names.filter((_, index) => (ends[index] ?? 0) <= cut);
      expect(
        records.map(({ key }) => key.toString()),
        `cut at ${cut}`,
      ).toEqual(acknowledged);
      const kept = cut - torn.length;
      expect(kept === 0 || kept === 8 || ends.includes(kept), `cut at ${cut}`).toBe(true);
    }
  });

  it('gives what stands before damage, and says how much does not', async () => {
    const root = makeTestFolder();
    const spool = await openSpool(root);
    await spool.append([record('a')]);
    await spool.close();
    const [segment = ''] = segmentsIn(root);
    appendFileSync(segment, 'no frame at all');
    expect(await readSegment(segment)).toMatchObject({ records: [{ key: Buffer.from('a') }] });
    expect((await readSegment(segment)).torn.toString()).toBe('no frame at all');
  });

  it('is read as damaged whole when it is no segment', async () => {
    const folder = makeTestFolder();
    const path = join(folder, 'x.seg');
    writeFileSync(path, 'something else');
    expect(await readSegment(path)).toEqual({ records: [], torn: Buffer.from('something else') });
  });
});
