import { describe, expect, it } from 'vitest';
import { Supervisor } from '../../../../ingest/workers/supervisor.ts';
import { UserError } from '../../../../lib/errors.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { StandInHost, type StandInWorker } from '../../../support/stand-in-workers.ts';

const drainMs = 2_000;

function aSupervisor(count: number) {
  const clock = new ManualClock();
  const host = new StandInHost();
  const ended: unknown[] = [];
  const counts = { restarts: 0 };
  const supervisor = new Supervisor({
    count,
    host,
    drainMs,
    clock,
    logger: silentLogger,
    onRestart: () => {
      counts.restarts += 1;
    },
    onFarewell: () => undefined,
    onEnd: (process) => ended.push(process),
  });
  const numbers = () => host.started.map(({ number }) => number);
  const states = () => supervisor.slots.map(({ lives }) => lives.map(({ state }) => state));
  return { supervisor, clock, host, ended, counts, numbers, states };
}

/** A supervisor whose workers 1 to `count` serve. */
async function serving(count: number) {
  const parts = aSupervisor(count);
  const started = parts.supervisor.start();
  parts.host.worker(1).ready();
  for (const worker of parts.host.started.slice(1)) worker.ready();
  await started;
  return parts;
}

/** Lets what waits for promises go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('a start', () => {
  it('begins with one worker; the others follow when it serves', async () => {
    const { supervisor, host, numbers, states } = aSupervisor(3);
    const started = supervisor.start();
    expect(numbers()).toEqual([1]);
    host.worker(1).ready();
    expect(numbers()).toEqual([1, 2, 3]);
    expect(states()).toEqual([['serving'], ['starting'], ['starting']]);
    expect(await started).toEqual({ callbacks: 'http://here' });
  });

  it('fails when the first worker says that only a person can mend it, and starts no other', async () => {
    const { supervisor, host, clock, numbers } = aSupervisor(3);
    const started = supervisor.start();
    host.worker(1).end({ code: 2 });
    await expect(started).rejects.toThrow(new UserError('worker 1 cannot start, see above'));
    expect([numbers(), clock.waiting]).toEqual([[1], 0]);
  });

  it('goes on trying when the first worker crashes', async () => {
    const { supervisor, host, numbers } = aSupervisor(2);
    const started = supervisor.start();
    host.worker(1).crash();
    host.worker(2).ready();
    expect(await started).toEqual({ callbacks: 'http://here' });
    expect(numbers()).toEqual([1, 1, 2]);
  });
});

describe('a worker that ends unasked', () => {
  it('is started again at once, then after 0.5, 1, 2, 5, 5 s while it dies young', async () => {
    const { host, clock, counts } = await serving(1);
    host.worker(1).crash();
    expect(host.started).toHaveLength(2);
    for (const [index, pauseMs] of [500, 1_000, 2_000, 5_000, 5_000].entries()) {
      host.worker(index + 2).ready();
      host.worker(index + 2).crash();
      clock.advance(pauseMs - 1);
      expect(host.started).toHaveLength(index + 2);
      clock.advance(1);
      expect(host.started).toHaveLength(index + 3);
    }
    expect(counts.restarts).toBe(6);
  });

  it('is started again at once when it has served for a minute', async () => {
    const { host, clock } = await serving(1);
    for (const pid of [1, 2, 3]) {
      clock.advance(60_000);
      host.worker(pid).crash();
      expect(host.started).toHaveLength(pid + 1);
      host.worker(pid + 1).ready();
    }
  });

  it('is started again also where it says that its settings are wrong, once one has served', async () => {
    const { host, states } = await serving(2);
    host.worker(2).crash();
    host.worker(3).end({ code: 2, reason: 'exit code 2' });
    expect(states()).toEqual([['serving'], []]);
    expect(host.worker(1).told).not.toContain('retire 0');
  });

  it('leaves its spool to one that serves, or to the next that does', async () => {
    const { host } = await serving(2);
    host.worker(2).crash();
    expect(host.worker(1).told).toEqual(['adopt']);
    host.worker(1).crash();
    expect(host.worker(3).told).toEqual([]);
    host.worker(3).ready();
    expect(host.worker(3).told).toEqual(['adopt']);
    host.worker(4).ready();
    expect(host.worker(4).told).toEqual([]);
  });
});

describe('a worker that somebody else asks to stop', () => {
  it('is replaced while it still serves, which is no restart', async () => {
    const { host, states, counts, numbers } = await serving(2);
    host.worker(2).leaving();
    expect(numbers()).toEqual([1, 2, 2]);
    host.worker(3).ready();
    expect(states()).toEqual([['serving'], ['leaving', 'serving']]);
    host.worker(2).end();
    expect(states()).toEqual([['serving'], ['serving']]);
    expect([counts.restarts, host.worker(1).told]).toEqual([0, ['adopt']]);
  });

  it('is not replaced when all are about to stop, but one that crashes is', async () => {
    const { supervisor, host, numbers } = await serving(2);
    supervisor.expectStop();
    host.worker(2).leaving();
    host.worker(2).end();
    expect(numbers()).toEqual([1, 2]);
    host.worker(1).crash();
    expect(numbers()).toEqual([1, 2, 1]);
  });

  it('is killed when it has not left 11 s after its drain', async () => {
    const { host, clock } = await serving(2);
    host.worker(2).leaving();
    clock.advance(drainMs + 10_999);
    expect(host.worker(2).told).toEqual([]);
    clock.advance(1);
    expect(host.worker(2).told).toEqual(['SIGKILL']);
  });
});

describe('replacing all', () => {
  it('goes one by one: the new one is ready before the old one is told to leave, and that has left before the next begins', async () => {
    const { supervisor, host, numbers, counts } = await serving(2);
    const replaced = supervisor.replaceAll();
    expect(numbers()).toEqual([1, 2, 1]);
    expect(host.worker(1).told).toEqual([]);
    host.worker(3).ready();
    expect(host.worker(1).told).toEqual(['retire 3000']);
    await settled();
    expect(numbers()).toEqual([1, 2, 1]);
    host.worker(1).end();
    await settled();
    expect(numbers()).toEqual([1, 2, 1, 2]);
    host.worker(4).ready();
    expect(host.worker(2).told).toContain('retire 3000');
    host.worker(2).end();
    expect(await replaced).toBe(true);
    expect(counts.restarts).toBe(0);
  });

  it('has the spool of each that leaves taken over', async () => {
    const { supervisor, host } = await serving(1);
    const replaced = supervisor.replaceAll();
    host.worker(2).ready();
    host.worker(1).end();
    await replaced;
    expect(host.worker(2).told).toEqual(['adopt']);
  });

  it('ends at the first new one that does not get ready; the old ones serve on', async () => {
    const { supervisor, host, states, clock } = await serving(2);
    const replaced = supervisor.replaceAll();
    host.worker(3).end({ code: 2 });
    expect(await replaced).toBe(false);
    expect(states()).toEqual([['serving'], ['serving']]);
    expect([host.worker(1).told.filter((word) => word !== 'adopt'), clock.waiting]).toEqual([[], 0]);
  });

  it('goes on when the old one crashes before the new one is ready, and starts no third', async () => {
    const { supervisor, host, numbers, states } = await serving(1);
    const replaced = supervisor.replaceAll();
    host.worker(1).crash();
    expect(numbers()).toEqual([1, 1]);
    host.worker(2).ready();
    expect(await replaced).toBe(true);
    expect(states()).toEqual([['serving']]);
  });

  it('starts another one when both crash', async () => {
    const { supervisor, host, numbers } = await serving(1);
    const replaced = supervisor.replaceAll();
    host.worker(1).crash();
    host.worker(2).crash();
    expect(await replaced).toBe(false);
    expect(numbers()).toEqual([1, 1, 1]);
  });

  it('asked for while it is under way is done once more, from the first', async () => {
    const { supervisor, host, numbers } = await serving(1);
    const replaced = supervisor.replaceAll();
    void supervisor.replaceAll();
    void supervisor.replaceAll();
    host.worker(2).ready();
    host.worker(1).end();
    await settled();
    expect(numbers()).toEqual([1, 1, 1]);
    host.worker(3).ready();
    host.worker(2).end();
    expect(await replaced).toBe(true);
    expect(numbers()).toEqual([1, 1, 1]);
  });

  it('kills an old one that does not leave, 11 s after its clients were asked to', async () => {
    const { supervisor, host, clock } = await serving(1);
    const replaced = supervisor.replaceAll();
    host.worker(2).ready();
    clock.advance(14_000);
    expect(host.worker(1).told).toEqual(['retire 3000', 'SIGKILL']);
    host.worker(1).crash();
    expect(await replaced).toBe(true);
  });
});

describe('a stop', () => {
  const words = (workers: readonly StandInWorker[]) => workers.map(({ told }) => told);

  it('has those that serve leave, ends one that starts, and starts none any more', async () => {
    const { supervisor, host, clock } = await serving(3);
    host.worker(3).crash();
    const stopped = supervisor.stop(700);
    expect(words(host.started)).toEqual([['adopt', 'retire 700'], ['retire 700'], [], ['SIGTERM']]);
    host.worker(4).end({ code: null, reason: 'SIGTERM' });
    host.worker(1).end();
    host.worker(2).crash();
    await stopped;
    expect([host.started.length, clock.waiting]).toEqual([4, 0]);
  });

  it('starts none when it comes in a pause', async () => {
    const { supervisor, host, clock } = await serving(1);
    host.worker(1).crash();
    host.worker(2).crash();
    expect(clock.waiting).toBe(1);
    await supervisor.stop(0);
    clock.advance(60_000);
    expect(host.started).toHaveLength(2);
  });

  it('ends a replacement that is under way', async () => {
    const { supervisor, host } = await serving(2);
    const replaced = supervisor.replaceAll();
    const stopped = supervisor.stop(0);
    expect(words(host.started)).toEqual([['retire 0'], ['retire 0'], ['SIGTERM']]);
    for (const worker of host.started) worker.end();
    await stopped;
    expect([await replaced, host.started.length]).toEqual([false, 3]);
  });

  it('kills those that hang after 11 s', async () => {
    const { supervisor, host, clock } = await serving(1);
    const stopped = supervisor.stop(0);
    clock.advance(11_000);
    expect(host.worker(1).told).toEqual(['retire 0', 'SIGKILL']);
    host.worker(1).crash();
    await stopped;
  });
});
