import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readSettings } from '../../lib/config/read.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { topicIds } from '../../schemas/topics.ts';
import { sdkAppId, vector, verdictCommand } from '../support/callbacks.ts';
import { CliProcess, runCli } from '../support/cli.ts';
import { serviceEnvironment, startTestIngest, unusedPort } from '../support/pipeline.ts';
import { samples } from '../support/samples.ts';

const home = mkdtempSync(join(tmpdir(), 'imwatch-cli-'));
const cluster: Record<string, string> = { ...inject('cluster'), IMWATCH_HOME: home };

let ingest: Awaited<ReturnType<typeof startTestIngest>>;
let env: Record<string, string>;
beforeAll(async () => {
  ingest = await startTestIngest();
  env = { ...ingest.env, IMWATCH_HOME: home, INGEST_PORT: new URL(ingest.url).port };
  await ingest.ready();
});
afterAll(() => ingest.stop());

describe('imwatch send', () => {
  it('signs and posts a sample, and says what came back', async () => {
    const { code, output } = await runCli(['send', '--json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ command: verdictCommand, status: 200, answer: { ActionStatus: 'OK' } });
  });

  it('posts a file of bodies, one a line, each with its command', async () => {
    const before = await ingest.count('callback');
    const { code, output } = await runCli(
      ['send', '-'],
      env,
      '{"CallbackCommand":"A.B","a":1}\n\n{"CallbackCommand":"C.D","a":1}\n',
    );
    expect(code).toBe(0);
    expect(output).toMatch(/^200 A.B .*\n200 C.D .*\n2 sent: 2 taken, 0 refused or not answered$/);
    expect(await ingest.count('callback')).toBe(before + 2);
  });

  it('has every sample taken', async () => {
    const lines = samples.map(({ command, body }) => JSON.stringify({ command, body: JSON.parse(body) }));
    const { code, output, errors } = await runCli(['send', '-', '--json'], env, lines.join('\n'));
    expect(errors).toBe('');
    expect(code).toBe(0);
    const answers = output.split('\n').map((line) => JSON.parse(line));
    const count = samples.length;
    expect(answers.pop()).toEqual({ summary: { sent: count, taken: count, refused: 0, badLines: 0 } });
    expect(answers.map(({ command, status }) => [command, status])).toEqual(
      samples.map(({ command }) => [command, 200]),
    );
  });

  it('posts a file that is one body over several lines', async () => {
    const file = join(home, 'body.json');
    writeFileSync(file, '{\n  "CallbackCommand": "A.Whole"\n}\n');
    expect((await runCli(['send', file], env)).output).toMatch(/^200 A.Whole .*\n1 sent: 1 taken/);
  });

  it('sends what a line says of command and query', async () => {
    const line = { command: 'A.Wrapped', query: { ClientIP: '198.18.0.7' }, body: { From_Account: 'wrapped' } };
    const before = await ingest.count('callback');
    expect((await runCli(['send', '-'], env, JSON.stringify(line))).code).toBe(0);
    const read = await ingest.read('callback', before + 1);
    const value = read.find(({ key }) => key.endsWith('/wrapped'))?.value;
    expect(value).toMatchObject({ command: 'A.Wrapped', clientIp: '198.18.0.7' });
  });

  it('names bad lines by their numbers, sends the others, counts and ends with code 1', async () => {
    const input = '{"CallbackCommand":"A.B"}\n{"CallbackCommand":\n\n7\n{"CallbackCommand":"C.D"}\n';
    const { code, output, errors } = await runCli(['send', '-'], env, input);
    expect(code).toBe(1);
    expect(errors).toMatch(/^line 2: no JSON .*\nline 4: a number, expected a JSON object\n$/);
    expect(output).toMatch(
      /^200 A.B .*\n200 C.D .*\n2 sent: 2 taken, 0 refused or not answered, 2 bad lines left out$/,
    );
  });

  it('counts what is refused, with the line', async () => {
    const wrong = { ...env, IMWATCH_TOKEN: 'wrong' };
    const { code, output } = await runCli(['send', '-'], wrong, '{"CallbackCommand":"A.B"}\n');
    expect(code).toBe(1);
    expect(output).toMatch(/^403 line 1: A.B .*\n1 sent: 0 taken, 1 refused or not answered$/);
  });

  it('sends no faster than it is told', async () => {
    const before = await ingest.count('callback');
    await runCli(['send', '-', '--rate', '4'], env, '{"CallbackCommand":"A.Paced"}\n'.repeat(5));
    const read = await ingest.read('callback', before + 5);
    const times = read.filter(({ value }) => value.command === 'A.Paced').map(({ value }) => Number(value.receivedAt));
    expect(times).toHaveLength(5);
    // Four pauses of 250 ms; the first callback takes a connection's time longer than the others.
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(900);
  });

  it('lists the samples with their commands and topics, and does not in the help', async () => {
    const { output } = await runCli(['send', '--samples', '--json'], env);
    const rows = output.split('\n').map((line) => JSON.parse(line));
    expect(rows.map(({ sample }) => sample)).toEqual(samples.map(({ name }) => name));
    expect(rows).toContainEqual({
      sample: 'State.StateChange',
      command: 'State.StateChange',
      topic: `${ingest.prefix}.user.v1`,
    });
    const help = (await runCli(['send', '--help'], env)).output;
    expect(help).not.toContain('State.StateChange');
    expect(help).toContain('--samples');
  });

  it('prints a URL that is signed for now', async () => {
    const { output } = await runCli(['send', '--print-url'], env);
    const response = await fetch(output, { method: 'POST', body: vector(verdictCommand) });
    expect(response.status).toBe(200);
  });

  it('ends with code 1 when a callback is refused, and when nobody answers', async () => {
    expect((await runCli(['send'], { ...env, IMWATCH_TOKEN: 'wrong' })).code).toBe(1);
    const nobody = await runCli(['send', '--url', `http://127.0.0.1:${await unusedPort()}`], env);
    expect(nobody).toMatchObject({ code: 1, errors: expect.stringContaining('does not answer') });
  });

  it('ends with code 2 for a sample that there is not', async () => {
    expect(await runCli(['send', '--sample', 'Nope'], env)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('No sample "Nope"'),
    });
  });
});

describe('imwatch tail', () => {
  it('shows what is there, decoded, and ends with --no-follow', async () => {
    await ingest.post(vector(verdictCommand));
    const { code, output } = await runCli(['tail', 'verdict', '--no-follow', '--json', '-n', '1'], env);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      topic: `${ingest.prefix}.verdict.v1`,
      key: `${sdkAppId}/jared`,
      value: { fromAccount: 'jared', result: 'BLOCKED' },
    });
  });

  it('shows events as they come, for people', async () => {
    const tail = new CliProcess(['tail', 'callback', '-n', '0'], env);
    await tail.line(/waiting for events/);
    await ingest.post('{"From_Account":"newcomer","EventTime":1629883332497}', { command: 'A.New' });
    await tail.line(/key 1400187352\/newcomer/);
    await tail.line(/occurredAt +2021-08-25T09:22:12.497Z/);
    tail.child.kill('SIGINT');
    expect(await tail.end()).toBe(0);
    expect(tail.output).not.toContain('A.B');
  });

  it('shows dead letters with the body that was refused', async () => {
    await ingest.post('{"broken', {});
    const { output } = await runCli(['tail', 'dead-letter', '--no-follow'], env);
    expect(output).toContain('BODY_NOT_JSON');
    expect(output).toContain('{"broken');
  });

  it('names the topics there are when it is asked for another', async () => {
    expect(await runCli(['tail', 'nope'], env)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('No topic nope, expected one of'),
    });
  });
});

describe('imwatch topics', () => {
  const own: Record<string, string> = { ...serviceEnvironment(), ...cluster };
  const diff = async () => {
    const { code, output } = await runCli(['topics', 'diff', '--json'], own);
    return { code, found: JSON.parse(output) as { topic: string; differences: string[] }[] };
  };

  it('diff finds what is missing, create makes it, and then there is nothing to find', async () => {
    expect((await diff()).code).toBe(1);
    expect((await diff()).found[0]?.differences).toEqual(['is missing', 'its schema is not registered']);
    const { code, output } = await runCli(['topics', 'create'], own);
    expect(code).toBe(0);
    expect(output).toMatch(/verdict.v1 +created +schema \d+/);
    expect((await runCli(['topics', 'create'], own)).output).toMatch(/verdict.v1 +exists/);
    const after = await diff();
    expect(after.code).toBe(0);
    expect(after.found.map(({ differences }) => differences)).toEqual(topicIds.map(() => []));
  });

  it('diff names a setting that someone changed, and the number of partitions', async () => {
    const values = readSettings(kafkaSettings, { env: own, file: {}, running: {} });
    const admin = createKafka(values, 'imwatch-test', silentLogger).admin();
    await admin.connect();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: `${own['IMWATCH_TOPIC_PREFIX']}.verdict.v1`,
          configEntries: [{ name: 'retention.ms', value: '1000' }],
        },
      ],
    });
    await admin.disconnect();
    const { code, output } = await runCli(['topics', 'diff', '--json'], { ...own, IMWATCH_PARTITIONS: '4' });
    expect(code).toBe(1);
    const [verdict] = JSON.parse(output) as { differences: string[] }[];
    expect(verdict?.differences).toEqual([
      'partitions is 3, expected 4',
      'retention.ms is 1000, expected 2592000000',
      'max.message.bytes is 1048588, expected 4194304',
    ]);
  });

  it('describe lists partitions, schema and number of records', async () => {
    const { output } = await runCli(['topics', 'describe', '--json'], env);
    const [verdict] = JSON.parse(output) as unknown[];
    expect(verdict).toMatchObject({
      record: 'ContentVerdict',
      partitions: 3,
      records: expect.any(Number),
      schemaId: expect.any(Number),
    });
    expect((await runCli(['topics', 'describe'], env)).output).toContain('ContentVerdict: moderation verdicts');
  });

  it('says that Kafka does not answer', async () => {
    const away = { ...own, KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}` };
    expect(await runCli(['topics', 'create'], away)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^Kafka: .*ECONNREFUSED/),
    });
  });
});

describe('imwatch config', () => {
  it('shows values, sources and no secrets', async () => {
    const { code, output } = await runCli(['config', '--json'], env);
    expect(code).toBe(0);
    expect(output).not.toContain('xxxxyyyy');
    expect(JSON.parse(output)).toMatchObject({
      IMWATCH_SDK_APP_ID: { value: sdkAppId, source: 'env' },
      IMWATCH_TOKEN: { value: '********', source: 'env' },
      KAFKA_BROKERS: { value: cluster['KAFKA_BROKERS'], source: 'env' },
      INGEST_DEADLINE_MS: { value: 1200, source: 'default' },
      INGEST_PATH: { value: null, source: 'default' },
    });
  });

  it('names every wrong setting in one message', async () => {
    const { code, errors } = await runCli(['config'], { ...env, INGEST_PORT: 'x', IMWATCH_TEXT: 'half' });
    expect(code).toBe(2);
    expect(errors).toContain('INGEST_PORT is "x", expected an integer from 0 to 65535');
    expect(errors).toContain('IMWATCH_TEXT is "half", expected one of full, hmac, none');
  });
});

describe('imwatch doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    const { code, output } = await runCli(['doctor'], env);
    expect(output).toMatch(/^ok +Kafka: 1 broker/m);
    expect(output).toMatch(/^ok +registry: .*all schemas are registered/m);
    expect(output).toMatch(/^ok +spool: \/.*, a write is on the disk after \d+ ms, \d+ MiB free/m);
    expect(code).toBe(0);
  });

  it('names what will not work, and settings that look like typing errors', async () => {
    const wrong = { ...env, KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}`, INGEST_PROT: '1' };
    const { code, output } = await runCli(['doctor', '--json'], wrong);
    expect(code).toBe(1);
    const findings = JSON.parse(output) as { check: string; status: string; detail: string }[];
    expect(findings).toContainEqual({
      check: 'settings',
      status: 'warning',
      detail: 'INGEST_PROT is no setting of imwatch',
    });
    expect(findings.find(({ check }) => check === 'Kafka')?.status).toBe('failure');
  });
});

describe('imwatch ingest', () => {
  it('takes callbacks as a process of its own, says where, and stops in order', async () => {
    const own = { ...serviceEnvironment(), ...cluster, IMWATCH_LOG_FORMAT: 'json' };
    const service = new CliProcess(['ingest'], own);
    const started = JSON.parse(await service.line(/"msg":"started"/)) as { callbacks: string };
    await service.line(/"msg":"connected to Kafka"/);
    const sent = await runCli(['send', '--url', started.callbacks], own);
    expect(sent.code).toBe(0);
    const access = JSON.parse(await service.line(/"msg":"callback"/)) as Record<string, unknown>;
    expect(access).toMatchObject({
      status: 200,
      command: verdictCommand,
      outcome: 'verdict',
      eventId: expect.any(String),
    });
    service.child.kill('SIGTERM');
    expect(await service.end()).toBe(0);
  });

  it('does not start with wrong settings, and names each', async () => {
    const own = { ...cluster, IMWATCH_TEXT: 'none', INGEST_HOST: '0.0.0.0', IMWATCH_SDK_APP_ID: '1' };
    const { code, errors } = await runCli(['ingest'], own);
    expect(code).toBe(2);
    expect(errors).toContain('IMWATCH_ID_SECRET is not set');
    expect(errors).toContain('INGEST_HOST is "0.0.0.0" while an app has no token');
  });

  it('says which port is in use', async () => {
    const own = {
      ...serviceEnvironment(),
      ...cluster,
      INGEST_PORT: new URL(ingest.url).port,
      IMWATCH_LOG_FORMAT: 'json',
    };
    const { code, output } = await runCli(['ingest'], own);
    expect(code).toBe(2);
    expect(output).toContain('EADDRINUSE');
  });

  it('does not start without an app', async () => {
    const { code, errors } = await runCli(['ingest'], cluster);
    expect(code).toBe(2);
    expect(errors).toContain('IMWATCH_SDK_APP_ID is not set');
  });
});

describe('a consumer', () => {
  it.each(['analytics', 'penalties', 'alerting'])(
    '%s runs as a process of its own and stops in order',
    async (name) => {
      const own = { ...serviceEnvironment(), ...cluster, IMWATCH_LOG_FORMAT: 'json' };
      const service = new CliProcess([name], own);
      await service.line(/"msg":"consuming"/);
      service.child.kill('SIGTERM');
      expect(await service.end()).toBe(0);
      expect(service.output).not.toMatch(/"level":"(error|fatal)"/);
    },
  );

  it('logs the eventId of the access line, so that a request can be followed', async () => {
    const own = { ...serviceEnvironment(), ...cluster, IMWATCH_LOG_FORMAT: 'json' };
    const [taking, deciding] = [new CliProcess(['ingest'], own), new CliProcess(['penalties'], own)];
    const { callbacks } = JSON.parse(await taking.line(/"msg":"started"/)) as { callbacks: string };
    await Promise.all([taking.line(/"msg":"connected to Kafka"/), deciding.line(/"msg":"consuming"/)]);
    await runCli(['send', '--url', callbacks], own);
    const { eventId } = JSON.parse(await taking.line(/"msg":"callback"/)) as { eventId: string };
    const strike = JSON.parse(await deciding.line(/"msg":"strike"/)) as { eventIds: string[] };
    expect(strike.eventIds).toEqual([eventId]);
    for (const service of [taking, deciding]) {
      service.child.kill('SIGTERM');
      expect(await service.end()).toBe(0);
    }
  });
});
