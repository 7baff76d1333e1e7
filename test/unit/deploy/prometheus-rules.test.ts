import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createConsumerMetrics } from '../../../consumers/runtime/metrics.ts';
import { createForwardMetrics } from '../../../ingest/forward/metrics.ts';
import { refusals } from '../../../ingest/http/answers.ts';
import { createIngestMetrics } from '../../../ingest/metrics.ts';
import { createPublishMetrics } from '../../../ingest/publish/metrics.ts';
import { createSupervisorMetrics } from '../../../ingest/workers/supervisor-metrics.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

const folder = join(import.meta.dirname, '../../../deploy/prometheus');

function rulesIn(file: string): readonly Rule[] {
  const { groups } = parse(readFileSync(join(folder, file), 'utf8')) as { groups: readonly { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

const rules = readdirSync(folder).flatMap(rulesIn);

describe('the alert rules', () => {
  it('ask for metrics that the services have', async () => {
    const ingest = createIngestMetrics();
    const queue = { queuedRecords: 0, queuedBytes: 0 };
    createPublishMetrics(
      ingest.registry,
      queue,
      { bytes: 0, maxBytes: 1, oldestMs: undefined, spooledRecords: 0 },
      () => 0,
    );
    createForwardMetrics(ingest.registry, { callbacks: 0, bytes: 0 });
    const consumer = createConsumerMetrics(() => ({
      partitions: { running: 0, claiming: 0, stopped: 0 },
      oldestInFlightMs: 0,
    }));
    const supervisor = createSupervisorMetrics(() => 0);
    const metrics = await Promise.all(
      [ingest, consumer, supervisor].map(({ registry }) => registry.getMetricsAsJSON()),
    );
    const known = metrics.flat().map(({ name }) => name);
    const asked = rules.flatMap(({ expr }) => expr.match(/(ingest|consumer)_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThanOrEqual(rules.length);
    expect(asked.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('name reasons of refusals that there are', () => {
    const known: readonly string[] = Object.values(refusals).map(({ reason }) => reason);
    const asked = rules.flatMap(({ expr }) => /refused_total\{reason=~?"([^"]*)"\}/.exec(expr)?.[1]?.split('|') ?? []);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((reason) => !known.includes(reason))).toEqual([]);
  });

  it.each(rules)('$alert says what it means and what to do', ({ labels, annotations }) => {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/[.;].*$/);
    expect(annotations.action).not.toBe('');
  });
});
