import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkSpool, type SpoolState, spoolFindings } from '../../../cli/spool-check.ts';
import { fingerprintBytes } from '../../../ingest/spool/frame.ts';
import { inspectSpool } from '../../../ingest/spool/inspect.ts';
import { Spool } from '../../../ingest/spool/spool.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const mebibyte = 1024 * 1024;

const well: SpoolState = {
  folder: '/spool/im',
  maxBytes: 1024 * mebibyte,
  probeMs: 3.4,
  freeBytes: 5000 * mebibyte,
  folders: [],
  quarantined: 0,
  nowMs: 100_000,
};

describe('imwatch doctor says of the spool', () => {
  it('where it is, how quick its disk is, and what is free', () => {
    expect(spoolFindings(well)).toEqual([
      { check: 'spool', status: 'ok', detail: '/spool/im, a write is on the disk after 3 ms, 5000 MiB free' },
    ]);
  });

  it('that its disk is slow', () => {
    expect(spoolFindings({ ...well, probeMs: 201 })).toMatchObject([{ status: 'warning' }]);
  });

  it('that its disk is smaller than it may become, what it holds counted in', () => {
    const folders = [{ isHeld: true, bytes: 24 * mebibyte, oldestMs: 90_000 }];
    const findings = spoolFindings({ ...well, folders, freeBytes: 999 * mebibyte });
    expect(findings[1]).toEqual({
      check: 'spool',
      status: 'warning',
      detail: 'INGEST_SPOOL_BYTES is 1024 MiB, but its disk has room for 1023 MiB: it is full before the spool is',
    });
    expect(spoolFindings({ ...well, folders, freeBytes: 1000 * mebibyte })).toHaveLength(2);
  });

  it('what waits, since when, what of it nobody holds, and what is in quarantine', () => {
    const folders = [
      { isHeld: true, bytes: 100, oldestMs: 90_000 },
      { isHeld: false, bytes: 20, oldestMs: 40_000 },
    ];
    const [, ...warnings] = spoolFindings({ ...well, folders, quarantined: 2 });
    expect(warnings.map(({ status, detail }) => `${status}: ${detail}`)).toEqual([
      'warning: 120 bytes wait for Kafka, the oldest for 60 s',
      'warning: 20 bytes of them in 1 folder(s) of processes that have ended; the next ingest takes them over',
      'warning: 2 file(s) in /spool/im/quarantine, which Kafka will never get: somebody has to look',
    ]);
  });

  it('that it cannot be written, and why', async () => {
    const file = join(makeTestFolder(), 'file');
    writeFileSync(file, '');
    const env = { IMWATCH_SDK_APP_ID: '1400187352', INGEST_SPOOL_DIR: file };
    expect(await checkSpool({ env, file: {}, running: {} })).toEqual([
      {
        check: 'spool',
        status: 'failure',
        detail: expect.stringMatching(/file\/im cannot be written.*EEXIST|ENOTDIR/),
      },
    ]);
  });

  it('nothing while settings are wrong, as another check does', async () => {
    expect(await checkSpool({ env: { INGEST_PORT: 'x' }, file: {}, running: {} })).toEqual([]);
  });
});

describe('looking at a spool', () => {
  it('tells what a living process holds from what was left behind, and changes nothing', async () => {
    const root = makeTestFolder();
    const clock = new ManualClock();
    const limits = { maxBytes: 1e6, maxAgeMs: 1e9, segmentBytes: 1e5, waitingBytes: 1e6 };
    const record = {
      topic: 'verdict',
      fingerprint: Buffer.alloc(fingerprintBytes),
      key: Buffer.from('a'),
      body: Buffer.from('b'),
      timestampMs: 1,
      headers: {},
    };
    const spool = await Spool.open(root, limits, clock, silentLogger);
    onTestFinished(() => spool.close().catch(() => undefined));
    await spool.append([record]);
    const { bytes } = spool;
    mkdirSync(join(root, 'quarantine'));
    writeFileSync(join(root, 'quarantine', 'x.seg'), 'x');
    expect(await inspectSpool(root)).toEqual({
      folders: [{ isHeld: true, bytes, oldestMs: clock.nowMs() }],
      quarantined: 1,
    });
    await spool.close();
    expect((await inspectSpool(root)).folders).toEqual([{ isHeld: false, bytes, oldestMs: clock.nowMs() }]);
    const next = await Spool.open(root, limits, clock, silentLogger);
    onTestFinished(() => next.close());
    expect(next.bytes).toBe(bytes);
  });
});
