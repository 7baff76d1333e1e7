import type { Frame, Stack } from './cpu-profile.ts';

/** Parts of ingest that a moment of the processor is spent on, in the order of a callback's way. */
export const stages = [
  'HTTP and Fastify',
  'admission and signature',
  'parse',
  'translate',
  'event id',
  'encode',
  'batcher and produce',
  'answer, metrics, log',
  'sockets to clients',
  'sockets to Kafka',
  'polling and reading',
  'garbage collection',
  'other',
] as const;

export type Stage = (typeof stages)[number];

/** Files by stage, the first that fits counts; what fits none (events, promises, crypto) belongs to whoever called it. */
const files: readonly (readonly [RegExp, Stage | 'sockets'])[] = [
  [/\/ingest\/tencent\/(signature|query)\.ts$|\/ingest\/http\/(admit|clock-watch)\.ts$/, 'admission and signature'],
  [/\/lib\/address-list\.ts$/, 'admission and signature'],
  [/\/ingest\/tencent\/json\.ts$/, 'parse'],
  [/\/ingest\/tencent\/event-id\.ts$/, 'event id'],
  [/\/ingest\/tencent\//, 'translate'],
  [/\/schemas\/|\/node_modules\/avsc\/|\/ingest\/publish\/prepared\.ts$/, 'encode'],
  [/\/ingest\/(publish|spool)\/|\/lib\/kafka\/|\/node_modules\/(kafkajs|@platformatic)\//, 'batcher and produce'],
  [/\/ingest\/(http|forward)\/|\/ingest\/\w*-?metrics\.ts$/, 'answer, metrics, log'],
  [/\/node_modules\/(prom-client|pino|sonic-boom|@opentelemetry)\b|\/lib\/logger\.ts$/, 'answer, metrics, log'],
  [/^node:(net|tls|_tls|internal\/stream_base|internal\/js_stream)/, 'sockets'],
  [
    /^node:(_http|http|internal\/http|internal\/streams)|\/node_modules\/|\/ingest\/(app\.ts|listen\/)/,
    'HTTP and Fastify',
  ],
];

/** Native functions of sockets by name: they have no file. */
const nativeOfSockets =
  /^(writeBuffer|writev|write\w+String|writeLatin1String|readStart|readStop|shutdown|sendPendingData)$/;

const named: Readonly<Record<string, Stage | undefined>> = {
  '(garbage collector)': 'garbage collection',
  '(program)': 'polling and reading',
};

/** What a stack worked on; `undefined`: nothing, it waited. */
export function stageOf(stack: Stack): Stage | undefined {
  const innermost = stack[0]?.functionName ?? '';
  if (innermost === '(idle)') return undefined;
  const special = named[innermost];
  if (special !== undefined) return special;
  for (const frame of stack) {
    const found = stageOfFrame(frame);
    if (found === 'sockets') return stack.some(isOfProducer) ? 'sockets to Kafka' : 'sockets to clients';
    if (found !== undefined) return found;
  }
  return 'other';
}

function stageOfFrame({ functionName, url }: Frame): Stage | 'sockets' | undefined {
  if (url === '') return nativeOfSockets.test(functionName) ? 'sockets' : undefined;
  return files.find(([file]) => file.test(url))?.[1];
}

function isOfProducer(frame: Frame): boolean {
  return stageOfFrame(frame) === 'batcher and produce';
}
