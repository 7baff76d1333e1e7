import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SendCounts } from '../../cli/traffic-sender.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { sdkAppId } from '../support/callbacks.ts';
import { CliProcess, runCli } from '../support/cli.ts';
import { startTestIngest, token } from '../support/pipeline.ts';

const home = mkdtempSync(join(tmpdir(), 'imwatch-simulate-'));
const second = sdkAppId + 1;
const apps = [
  { sdkAppId, tokens: [token] },
  { sdkAppId: second, tokens: ['other'] },
];

let ingest: Awaited<ReturnType<typeof startTestIngest>>;
let env: Record<string, string>;
beforeAll(async () => {
  ingest = await startTestIngest({
    IMWATCH_APPS: JSON.stringify(apps),
    IMWATCH_SDK_APP_ID: '',
    IMWATCH_TOKEN: '',
  });
  env = { ...ingest.env, IMWATCH_HOME: home, INGEST_PORT: new URL(ingest.url).port };
  await ingest.ready();
});
afterAll(() => ingest.stop());

describe('imwatch simulate', () => {
  it('sends everything that users of all apps do; what is acknowledged is on the topics, nothing among the dead letters', async () => {
    const args = ['simulate', '--mix', 'all', '--rate', '200', '--duration', '3', '--json'];
    const { code, output, errors } = await runCli(args, env);
    expect(errors).toBe('');
    const counts = JSON.parse(output) as SendCounts;
    expect(code).toBe(0);
    expect(counts.acknowledged).toBe(counts.sent);
    expect(counts.sent).toBeGreaterThan(500);
    expect(Object.keys(counts.byCommand).length).toBeGreaterThan(10);

    const topics: readonly TopicId[] = ['verdict', 'message', 'user', 'group', 'relation', 'push'];
    const found: Partial<Record<TopicId, number>> = {};
    for (const id of [...topics, 'callback', 'dead-letter'] as const) found[id] = await ingest.count(id);
    for (const id of topics) expect(found[id], id).toBeGreaterThan(0);
    expect(found['dead-letter']).toBe(0);
    expect(found.callback).toBe(0);

    const { 'Push.OfflinePush': pushes = 0, 'ContentCallback.ResultNotify': verdicts = 0 } = counts.byCommand;
    const others = counts.sent - pushes;
    const events = topics.reduce((sum, id) => sum + (found[id] ?? 0), 0) - (found.push ?? 0);
    if (counts.repeated === 0) {
      expect(events).toBe(others);
      expect(found.verdict).toBe(verdicts);
    }
    // A batch is an event for each of its items.
    expect(found.push).toBeGreaterThan(pushes);
    const read = await ingest.read('verdict', verdicts);
    expect(new Set(read.map(({ value }) => value.sdkAppId))).toEqual(new Set([sdkAppId, second]));
  });

  it('ends in order when it is stopped, with what it sent acknowledged', async () => {
    const running = new CliProcess(['simulate', '--duration', '86400', '--rate', '50', '--diurnal', '--json'], env);
    const before = await ingest.count('verdict');
    while ((await ingest.count('verdict')) === before) await new Promise(setImmediate);
    running.child.kill('SIGINT');
    expect(await running.end()).toBe(0);
    const { sent, acknowledged } = JSON.parse(running.output) as SendCounts;
    expect(acknowledged).toBe(sent);
  });

  it('refuses a mix that there is not, and names those there are', async () => {
    const { code, errors } = await runCli(['simulate', '--mix', 'some'], env);
    expect(code).toBe(2);
    expect(errors).toContain('verdicts, all');
  });
});
