import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { seededRandom } from '../../dev/traffic/random.ts';
import { ingestTopicIds } from '../../ingest/tencent/request.ts';
import { signOf } from '../../ingest/tencent/signature.ts';
import { translate } from '../../ingest/tencent/translate.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { aRequest, queryString, someRules } from '../support/callbacks.ts';
import { CliProcess } from '../support/cli.ts';
import { Inspector } from '../support/inspector.ts';
import { mutate, pick } from '../support/mutations.ts';
import { countRecords, serviceEnvironment, token, unusedPort } from '../support/pipeline.ts';
import { samples } from '../support/samples.ts';

const minuteMs = 60_000;
/** `npm run test:mutations` is the long run, of 50,000. */
const mutations = Number(processEnvironment()['MUTATIONS'] ?? 5_000);
/** After this many the heap has what it keeps for good: compiled code, buffers, connections. */
const warmUp = Math.floor(mutations / 5);
const connections = 24;

interface Outcome {
  readonly seed: number;
  readonly status: number;
  readonly actionStatus: unknown;
  /** Records that translation makes of it. */
  readonly records: number;
}

describe(`${mutations} bodies with random changes, sent to ingest as a process`, () => {
  let ingest: CliProcess;
  let inspector: Inspector;
  let env: Record<string, string>;
  let pool: Pool;

  beforeAll(async () => {
    env = serviceEnvironment({
      ...inject('cluster'),
      INGEST_PORT: String(await unusedPort()),
      INGEST_MANAGEMENT_PORT: String(await unusedPort()),
      IMWATCH_LOG_LEVEL: 'warn',
      NODE_OPTIONS: '--inspect=127.0.0.1:0',
    });
    ingest = new CliProcess(['ingest'], env);
    const listening = await ingest.line(/Debugger listening on ws:/);
    inspector = await Inspector.connect(listening.slice(listening.indexOf('ws:')));
    pool = new Pool(`http://127.0.0.1:${env['INGEST_PORT']}`, { connections });
    const management = `http://127.0.0.1:${env['INGEST_MANAGEMENT_PORT']}`;
    while (!(await isReady(management))) await sleep(systemClock, 50);
  });

  afterAll(async () => {
    inspector.close();
    await pool.close();
    ingest.child.kill('SIGKILL');
    await ingest.end();
  });

  /** Sends what the seed makes of a sample. */
  async function send(seed: number): Promise<Outcome> {
    const random = seededRandom(seed);
    const sample = pick(samples, random);
    const body = mutate(sample, random);
    const command = random() < 0.05 ? undefined : sample.command;
    const requestTimeSec = Math.floor(Date.now() / 1000);
    const query = { RequestTime: String(requestTimeSec), Sign: signOf(token, requestTimeSec) };
    const path = `/?${queryString(command, query)}`;
    const answer = await pool.request({ method: 'POST', path, body });
    const { ActionStatus } = (await answer.body.json()) as { ActionStatus?: unknown };
    const translation = translate(aRequest({ ...(command !== undefined && { command }), body }), someRules());
    const records = translation.kind === 'events' ? translation.events.length : 0;
    return { seed, status: answer.statusCode, actionStatus: ActionStatus, records };
  }

  async function sendAll(from: number, to: number): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    let next = from;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (next < to) {
          next += 1;
          outcomes.push(await send(next));
        }
      }),
    );
    return outcomes;
  }

  it(
    'are each answered OK, every answer an event or a dead letter on the topics, and leave the heap as it was',
    async () => {
      const outcomes = [...(await sendAll(0, warmUp))];
      const warmBytes = await inspector.heapUsedBytes();
      outcomes.push(...(await sendAll(warmUp, mutations)));
      const endBytes = await inspector.heapUsedBytes();

      expect(outcomes.length).toBe(mutations);
      expect(outcomes.filter(({ status, actionStatus }) => status !== 200 || actionStatus !== 'OK')).toEqual([]);
      const counts = await Promise.all(ingestTopicIds.map((id) => countRecords(env, id)));
      const expected = outcomes.reduce((sum, { records }) => sum + records, 0);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(expected);
      expect(counts.every((count) => count > 0)).toBe(true);
      expect(ingest.errors).not.toContain('unexpected error');
      const growth = endBytes / warmBytes - 1;
      process.stdout.write(
        `mutations: ${mutations} sent, ${expected} records (${ingestTopicIds.map((id, index) => `${id} ${counts[index]}`).join(', ')}), ` +
          `heap ${(warmBytes / 2 ** 20).toFixed(1)} MiB after ${warmUp}, ${(endBytes / 2 ** 20).toFixed(1)} MiB at the end\n`,
      );
      expect(growth).toBeLessThan(0.1);
    },
    10 * minuteMs,
  );
});

async function isReady(management: string): Promise<boolean> {
  try {
    return (await fetch(`${management}/ready`)).ok;
  } catch {
    return false;
  }
}
