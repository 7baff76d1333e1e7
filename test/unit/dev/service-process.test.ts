import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ServiceProcess } from '../../../dev/service-process.ts';
import { UserError } from '../../../lib/errors.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { sendSignal } from '../../support/processes.ts';

const ready = "process.send({ type: 'ready', addresses: { callbacks: 'http://here' } });";

/** A service that is a line of JavaScript, on a clock that stands still. */
function service(...command: [string, ...string[]]) {
  const clock = new ManualClock();
  const crashes: string[] = [];
  const lines: string[] = [];
  const process = new ServiceProcess({
    name: 'a service',
    command,
    env: { PATH: '/usr/bin:/bin' },
    clock,
    onLine: (line) => lines.push(line),
    onCrash: (reason) => crashes.push(reason),
  });
  onTestFinished(() => process.stop());
  /** Resolves when it has ended so often and waits to be started again. */
  const crashed = (count: number): Promise<void> =>
    expect.poll(() => [crashes.length, clock.waiting], { timeout: 10_000 }).toEqual([count, 1]);
  return { process, clock, crashes, lines, crashed };
}

function node(script: string): [string, ...string[]] {
  return [process.execPath, '-e', script];
}

describe('ServiceProcess', () => {
  it('resolves with the addresses that the service tells', async () => {
    const { process: running } = service(...node(`${ready} setInterval(() => 0, 1000)`));
    expect(await running.start()).toEqual({ callbacks: 'http://here' });
  });

  it('starts a service that does not get ready again after 1 s, 2 s, 4 s, … 30 s', async () => {
    const { process, clock, crashes, crashed } = service('/bin/sh', '-c', 'exit 7');
    const started = process.start();
    started.catch(() => undefined);
    const pausesMs = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [index, pauseMs] of pausesMs.entries()) {
      await crashed(index + 1);
      clock.advance(pauseMs - 1);
      expect(clock.waiting).toBe(1);
      clock.advance(1);
      expect(clock.waiting).toBe(0);
    }
    await crashed(8);
    expect(new Set(crashes)).toEqual(new Set(['exit code 7']));
    await process.stop();
    await expect(started).rejects.toThrow('a service was stopped');
  });

  it('starts one that gets ready and ends at once ever more slowly too, also where it says that its settings are wrong', async () => {
    const { process, clock, crashed } = service(...node(`${ready} process.disconnect(); process.exitCode = 2`));
    await process.start();
    for (const [index, pauseMs] of [1_000, 2_000, 4_000].entries()) {
      await crashed(index + 1);
      clock.advance(pauseMs - 1);
      expect(clock.waiting).toBe(1);
      clock.advance(1);
      expect(clock.waiting).toBe(0);
    }
  });

  it('starts one that was ready for a minute again after 1 s', async () => {
    const { process, clock, lines, crashed } = service(
      ...node(`${ready} console.log(process.pid); setInterval(() => 0, 1000)`),
    );
    // The service asks for the time when it is ready, and when it has ended.
    const asked = vi.spyOn(clock, 'monotonicMs');
    await process.start();
    for (const [index, { readyForMs, pauseMs }] of [
      { readyForMs: 59_999, pauseMs: 1_000 },
      { readyForMs: 59_999, pauseMs: 2_000 },
      { readyForMs: 60_000, pauseMs: 1_000 },
    ].entries()) {
      await expect.poll(() => [asked.mock.calls.length, lines.length]).toEqual([2 * index + 1, index + 1]);
      clock.advance(readyForMs);
      sendSignal(Number(lines.at(-1)), 'SIGKILL');
      await crashed(index + 1);
      clock.advance(pauseMs - 1);
      expect(clock.waiting).toBe(1);
      clock.advance(1);
      expect(clock.waiting).toBe(0);
    }
  });

  it('gives up one whose settings are wrong', async () => {
    const { process, crashes } = service('/bin/sh', '-c', 'exit 2');
    await expect(process.start()).rejects.toThrow(new UserError('a service cannot start, see above'));
    expect(crashes).toEqual([]);
  });

  it('tries again when the process cannot be made, and can be stopped meanwhile', async () => {
    const { process, crashes, crashed } = service('/nonexistent');
    process.start().catch(() => undefined);
    await crashed(1);
    expect(crashes).toEqual(['spawn /nonexistent ENOENT']);
    await process.stop();
  });
});
