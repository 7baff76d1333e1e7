import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { Tally } from '../../../lib/tally.ts';

describe('Tally', () => {
  it('is a Prometheus counter by its labels, however often it is asked', async () => {
    const registry = new Registry();
    const tally = new Tally({
      name: 'events_total',
      help: 'Events',
      labelNames: ['topic', 'command'] as const,
      registers: [registry],
    });
    for (const command of ['a', 'b', 'a']) tally.count('t', command);
    await registry.metrics();
    tally.count('u', 'a');
    expect(await registry.metrics()).toContain(
      [
        '# TYPE events_total counter',
        'events_total{topic="t",command="a"} 2',
        'events_total{topic="t",command="b"} 1',
        'events_total{topic="u",command="a"} 1',
      ].join('\n'),
    );
  });
});
