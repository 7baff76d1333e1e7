import { describe, expect, it } from 'vitest';
import { type Frame, seenIn } from '../../../bench/ingest/profile/cpu-profile.ts';
import { stageOf } from '../../../bench/ingest/profile/stages.ts';

function frame(functionName: string, url = ''): Frame {
  return { functionName, url };
}

const project = 'file:///home/someone/imwatch';

describe('the stage of a stack', () => {
  it('is that of the innermost file that says something', () => {
    const stack = [
      frame('hash', 'node:internal/crypto/hash'),
      frame('signOf', `${project}/ingest/tencent/signature.ts`),
      frame('', `${project}/ingest/app.ts`),
    ];
    expect(stageOf(stack)).toBe('admission and signature');
  });

  it.each([
    ['parserOnIncoming', 'node:_http_server', 'HTTP and Fastify'],
    ['handle', `${project}/node_modules/find-my-way/index.js`, 'HTTP and Fastify'],
    ['parseBody', `${project}/ingest/tencent/json.ts`, 'parse'],
    ['readFields', `${project}/ingest/tencent/fields.ts`, 'translate'],
    ['callbackId', `${project}/ingest/tencent/event-id.ts`, 'event id'],
    ['writeString', `${project}/node_modules/avsc/lib/utils.js`, 'encode'],
    ['crc32C', `${project}/node_modules/kafkajs/src/protocol/recordBatch/crc32C/crc32C.js`, 'batcher and produce'],
    ['add', `${project}/ingest/publish/batcher.ts`, 'batcher and produce'],
    ['inc', `${project}/node_modules/prom-client/lib/counter.js`, 'answer, metrics, log'],
    ['(garbage collector)', '', 'garbage collection'],
    ['(program)', '', 'polling and reading'],
    ['runMicrotasks', '', 'other'],
  ])('%s in %s is "%s"', (functionName, url, stage) => {
    expect(stageOf([frame(functionName, url)])).toBe(stage);
  });

  it('tells writes to Kafka from answers to clients', () => {
    const write = [frame('writeBuffer'), frame('Socket._write', 'node:net')];
    const kafka = frame('send', `${project}/node_modules/kafkajs/src/network/connection.js`);
    expect(stageOf([...write, kafka])).toBe('sockets to Kafka');
    expect(stageOf([...write, frame('end', 'node:_http_outgoing')])).toBe('sockets to clients');
  });

  it('is none while nothing is done', () => {
    expect(stageOf([frame('(idle)')])).toBeUndefined();
  });
});

describe('a profile', () => {
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2] },
      { id: 2, callFrame: frame('outer'), children: [3] },
      { id: 3, callFrame: frame('inner') },
    ],
    startTime: 1_000,
    samples: [2, 3, 3, 2, 3],
    timeDeltas: [100, 100, 100, 900, 100],
  };

  it('counts stacks, innermost frame first, between two moments', () => {
    const { stacks } = seenIn(profile, 1_200, 2_200);
    const counts = Array.from(stacks, ([stack, count]) => [
      stack.map(({ functionName }) => functionName).join(' < '),
      count,
    ]);
    expect(counts).toEqual([
      ['inner < outer < (root)', 2],
      ['outer < (root)', 1],
    ]);
  });

  it('takes the usual distance of samples, not the pause of a process that waited for a core', () => {
    expect(seenIn(profile, 0, 10_000).sampleUs).toBe(100);
  });
});
