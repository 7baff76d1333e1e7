// Cost of turning one callback into the bytes of its event, step by step: `npm run bench [-- --json]`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callbackId } from '../ingest/tencent/event-id.ts';
import { parseBody } from '../ingest/tencent/json.ts';
import { parseQuery } from '../ingest/tencent/query.ts';
import type { CallbackRequest, TranslatedEvent, TranslationRules } from '../ingest/tencent/request.ts';
import { createTextPolicy } from '../ingest/tencent/text-policy.ts';
import { translate } from '../ingest/tencent/translate.ts';
import { RecordEncoder } from '../schemas/codec.ts';
import { type Cost, type Measured, measure } from './measure.ts';

const rounds = 41;
const sdkAppId = 1400187352;
const rules: TranslationRules = {
  texts: createTextPolicy('full', undefined),
  idSecret: undefined,
  answers: new Map(),
  random: () => 'random',
};

function requestOf(command: string): CallbackRequest {
  const path = join(import.meta.dirname, `../test/vectors/callbacks/${command}.json`);
  const queryString = `SdkAppid=${sdkAppId}&CallbackCommand=${command}&contenttype=json&ClientIP=127.0.0.1&RequestTime=1669872112`;
  return {
    sdkAppId,
    query: parseQuery(queryString),
    queryString,
    body: Buffer.from(JSON.stringify(JSON.parse(readFileSync(path, 'utf8')))),
    receivedAtMs: 1_700_000_000_000,
  };
}

function eventsOf(request: CallbackRequest): readonly TranslatedEvent[] {
  const translation = translate(request, rules);
  if (translation.kind !== 'events') throw new Error('A sample is no URL check');
  return translation.events;
}

/** The steps of one command, and the whole. */
function steps(command: string): readonly Measured[] {
  const request = requestOf(command);
  const events = eventsOf(request);
  const [{ record }] = events as [TranslatedEvent];
  const encoder = new RecordEncoder(record, 1);
  const encode = (each: readonly TranslatedEvent[]): Buffer[] =>
    each.map(({ value }) => encoder.encode(value as never));
  const text = request.body.toString();
  const parsed = parseBody(request.body, true);
  const body = parsed.ok ? parsed.body : {};
  const name = (step: string): string => `${command} ${step}`;
  return [
    { name: name('JSON.parse alone'), run: () => JSON.parse(text) },
    { name: name('parse'), run: () => parseBody(request.body, true) },
    { name: name('event id'), run: () => callbackId(request, rules, { command, body, path: '', bytes: request.body }) },
    { name: name('translate'), run: () => translate(request, rules) },
    { name: name('encode'), run: () => encode(events) },
    { name: name('translate + encode'), run: () => encode(eventsOf(request)) },
  ];
}

const commands = ['ContentCallback.ResultNotify', 'Group.CallbackAfterSendMsg', 'State.StateChange'];
const results = commands.map((command) => ({ command, costs: measure(steps(command), rounds) }));

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
else for (const { command, costs } of results) process.stdout.write(`${tableOf(command, costs)}\n`);

function tableOf(command: string, costs: readonly Cost[]): string {
  const unit = costs[0]?.minUs ?? 1;
  const bytes = requestOf(command).body.length;
  const rows = costs.map(({ name, minUs, medianUs, maxUs }) => {
    const step = name.slice(command.length + 1).padEnd(20);
    const numbers = [minUs, medianUs, maxUs].map((value) => value.toFixed(2).padStart(8)).join('');
    return `  ${step}${numbers}${(minUs / unit).toFixed(1).padStart(10)}`;
  });
  const head = `  ${'µs a callback'.padEnd(20)}${'min'.padStart(8)}${'median'.padStart(8)}${'max'.padStart(8)}${'x parse'.padStart(10)}`;
  return [`${command}, ${bytes} bytes`, head, ...rows, ''].join('\n');
}
