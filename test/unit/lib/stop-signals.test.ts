import { afterEach, describe, expect, it, vi } from 'vitest';
import { watchStopSignals } from '../../../lib/stop-signals.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.restoreAllMocks();
});

function setUp() {
  const heard: string[] = [];
  const nowMs = vi.spyOn(performance, 'now').mockReturnValue(0);
  ends.push(
    watchStopSignals(
      (signal) => heard.push(signal),
      () => heard.push('insists'),
    ),
  );
  return { heard, at: (ms: number) => nowMs.mockReturnValue(ms) };
}

describe('watchStopSignals', () => {
  it('takes a Ctrl-C that the terminal and npm both deliver for one wish', () => {
    const { heard, at } = setUp();
    process.emit('SIGINT', 'SIGINT');
    at(900);
    process.emit('SIGINT', 'SIGINT');
    expect(heard).toEqual(['SIGINT']);
  });

  it('hears who insists more than a second later, whatever the signal', () => {
    const { heard, at } = setUp();
    process.emit('SIGTERM', 'SIGTERM');
    at(1_001);
    process.emit('SIGINT', 'SIGINT');
    expect(heard).toEqual(['SIGTERM', 'insists']);
  });
});
