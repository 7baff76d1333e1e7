import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../../../cli/management-client.ts';
import { createIngestMetrics } from '../../../../ingest/metrics.ts';
import { createPublishMetrics } from '../../../../ingest/publish/metrics.ts';
import { MergedMetrics } from '../../../../ingest/workers/merged-metrics.ts';
import { mergeReadiness } from '../../../../ingest/workers/merged-readiness.ts';
import type { Metric } from '../../../../ingest/workers/messages.ts';
import type { Readiness } from '../../../../lib/management-server.ts';

/** Metrics as they come out of another process. */
async function sent(registry: Registry): Promise<readonly Metric[]> {
  return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as readonly Metric[];
}

/** A process with `count` of everything. */
function counting(count: number): Promise<readonly Metric[]> {
  const registers = [new Registry()];
  new Counter({ name: 'answers_total', help: 'h', labelNames: ['durable'], registers }).inc({ durable: 'disk' }, count);
  new Gauge({ name: 'waiting', help: 'h', registers }).set(count);
  new Histogram({ name: 'seconds', help: 'h', buckets: [1], registers }).observe(count);
  return sent(registers[0] as Registry);
}

async function numbersOf(merged: MergedMetrics, own: readonly Metric[] = []) {
  return parseMetrics(await merged.text(own));
}

describe('the metrics of several processes', () => {
  it('are summed, label by label and bucket by bucket, with those of the supervisor', async () => {
    const merged = new MergedMetrics();
    merged.take({}, await counting(1));
    merged.take({}, await counting(2));
    const numbers = await numbersOf(merged, await counting(4));
    expect(numbers.get('answers_total{durable="disk"}')).toBe(7);
    expect(numbers.get('waiting')).toBe(7);
    expect(numbers.get('seconds_bucket{le="1"}')).toBe(1);
    expect(numbers.get('seconds_count')).toBe(3);
    expect(numbers.get('seconds_sum')).toBe(7);
  });

  it('keep what a process that has ended had counted, and forget how it was', async () => {
    const merged = new MergedMetrics();
    for (const count of [1, 2, 3]) {
      const process = {};
      merged.take(process, await counting(count));
      merged.end(process);
    }
    merged.take({}, await counting(10));
    const numbers = await numbersOf(merged);
    expect(numbers.get('answers_total')).toBe(16);
    expect(numbers.get('seconds_count')).toBe(4);
    expect(numbers.get('waiting')).toBe(10);
  });

  it('count the newest of each process once, and one that is silent as it last was', async () => {
    const merged = new MergedMetrics();
    const [busy, silent] = [{}, {}];
    merged.take(busy, await counting(1));
    merged.take(silent, await counting(5));
    merged.take(busy, await counting(2));
    expect((await numbersOf(merged)).get('answers_total')).toBe(7);
  });

  it('take no number that was lost on the way for 0', async () => {
    const registry = new Registry();
    new Gauge({ name: 'lag', help: 'h', aggregator: 'min', registers: [registry] }).set(Number.NaN);
    const merged = new MergedMetrics();
    merged.take({}, await sent(registry));
    expect((await numbersOf(merged)).has('lag')).toBe(false);
  });

  it('of ingest: the oldest event, the first certificate to end, the mean clock, and sums', async () => {
    const merged = new MergedMetrics();
    for (const [ageSeconds, endsAtMs, difference] of [
      [5, 9_000, 1],
      [60, 4_000, 3],
    ] as const) {
      const { registry, edge } = createIngestMetrics();
      const spool = { bytes: 100, maxBytes: 1_000, oldestMs: 0, spooledRecords: 0 };
      createPublishMetrics(registry, { queuedRecords: 2, queuedBytes: 20 }, spool, () => ageSeconds * 1_000);
      edge.certificateEnds('server', endsAtMs);
      edge.watchClock(() => difference);
      edge.openConnections(3);
      merged.take({}, await sent(registry));
    }
    const { registry } = createIngestMetrics();
    merged.take({}, await sent(registry));
    const numbers = await numbersOf(merged);
    expect(numbers.get('ingest_spool_oldest_age_seconds')).toBe(60);
    expect(numbers.get('ingest_spool_bytes')).toBe(200);
    expect(numbers.get('ingest_connections')).toBe(6);
    expect(numbers.get('ingest_tls_certificate_expires_timestamp_seconds{certificate="server"}')).toBe(4);
    expect(numbers.get('ingest_clock_difference_seconds')).toBe(2);
    expect(numbers.get('process_start_time_seconds')).toBeGreaterThan(1_700_000_000);
    // prom-client rounds to whole seconds.
    expect(numbers.get('process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1_000 + 1);
  });
});

describe('the readiness of several processes', () => {
  const ready: Readiness = { status: 'ready', reasons: [] };
  const degraded: Readiness = { status: 'degraded', reasons: ['Events are kept on disk'] };
  const full: Readiness = { status: 'unavailable', reasons: ['The spool is full'] };
  const merge = (...states: readonly (Readiness | 'missing' | 'silent')[]) =>
    mergeReadiness(states.map((readiness, index) => ({ number: index + 1, readiness })));

  it.each([
    ['all are ready', [ready, ready], { status: 'ready', reasons: [] }],
    ['one is degraded', [ready, degraded], { status: 'degraded', reasons: ['worker 2: Events are kept on disk'] }],
    ['one can keep nothing', [full, ready], { status: 'degraded', reasons: ['worker 1: The spool is full'] }],
    ['one does not run', [ready, 'missing'], { status: 'degraded', reasons: ['worker 2 does not run'] }],
    ['one does not answer', ['silent', ready], { status: 'degraded', reasons: ['worker 1 does not answer'] }],
    [
      'none can keep anything',
      [full, full],
      { status: 'unavailable', reasons: ['worker 1: The spool is full', 'worker 2: The spool is full'] },
    ],
    [
      'none is there that could',
      ['missing', 'silent', full],
      {
        status: 'unavailable',
        reasons: ['worker 1 does not run', 'worker 2 does not answer', 'worker 3: The spool is full'],
      },
    ],
  ] as const)('when %s', (_case, states, expected) => {
    expect(merge(...states)).toEqual(expected);
  });
});
