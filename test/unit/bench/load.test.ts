import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AnswerReader } from '../../../bench/ingest/load/answer-reader.ts';
import { ownLoop } from '../../../bench/ingest/load/own.ts';
import { requestMaker } from '../../../bench/ingest/load/request-maker.ts';
import { Schedule } from '../../../bench/ingest/load/schedule.ts';
import { resultOf } from '../../../bench/ingest/load/wrk.ts';
import { bodyOf } from '../../../bench/ingest/request.ts';

describe('the schedule of an open loop', () => {
  it('has as many requests as rate and time make, the first at once', () => {
    const schedule = new Schedule(1_000, 0.004, 0);
    expect([0, 1, 2, 3].map((nowMs) => schedule.due(nowMs).length)).toEqual([1, 1, 1, 1]);
    expect(schedule.isOver).toBe(true);
    expect(schedule.due(10)).toEqual([]);
  });

  it('counts requests of one tick from that tick, as the sender sleeps in between', () => {
    const schedule = new Schedule(4_000, 1, 0);
    expect(schedule.due(0)).toEqual([0]);
    expect(schedule.due(1)).toEqual([1, 1, 1, 1]);
  });

  it('counts what a late tick was to send from when it was due', () => {
    const schedule = new Schedule(1_000, 1, 0);
    schedule.due(0);
    expect(schedule.due(5)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the requests of the sender', () => {
  it('carry the same bodies as wrk sends, with the length that they say', () => {
    const next = requestMaker({ host: '127.0.0.1', port: 80, path: '/?a=b', firstNumber: 123_456_789_012 });
    const [head = '', body = ''] = next().toString().split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toBe('POST /?a=b HTTP/1.1');
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(body).toBe(bodyOf(123_456_789_013));
    expect(next().toString()).toContain('"MsgID":"123456789014_');
  });
});

describe('the reader of answers', () => {
  const answer = Buffer.from('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\nX: y\r\n\r\nbusy');

  it('gives the status once the answer is whole, wherever it was cut', () => {
    for (let cut = 1; cut < answer.length; cut += 1) {
      const reader = new AnswerReader();
      expect(reader.take(answer.subarray(0, cut))).toBeUndefined();
      expect(reader.take(answer.subarray(cut))).toBe(503);
    }
  });

  it('refuses an answer whose end it cannot know', () => {
    expect(() => new AnswerReader().take(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('without Content-Length');
  });
});

describe('what wrk prints', () => {
  it('is read from its line of JSON; answers that are not 200 are failures', () => {
    const printed =
      'Running 8s test\n{"requests":1000,"durationUs":2000000,"refused":10,"broken":3,"p50Us":2500,"p99Us":9000,"p999Us":12000}\n';
    expect(resultOf(printed)).toEqual({
      acknowledged: 990,
      failed: 13,
      perSecond: 495,
      p50Ms: 2.5,
      p99Ms: 9,
      p999Ms: 12,
    });
  });
});

describe('the sender', () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** A server that answers each request after what `delayMs` says of it. */
  async function answering(delayMs: (count: number) => number): Promise<{ url: string; ids: string[] }> {
    const ids: string[] = [];
    server = createServer((request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        ids.push((JSON.parse(body) as { MsgID: string }).MsgID);
        setTimeout(() => response.setHeader('content-length', 2).end('{}'), delayMs(ids.length));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ids };
  }

  it('sends each request once and waits for every answer, in an open loop', async () => {
    const { url, ids } = await answering(() => 30);
    const result = await ownLoop(url, { perSecond: 400 }, 0.5, 7, 0);
    expect(result).toMatchObject({ acknowledged: 200, failed: 0, perSecond: 400 });
    expect(new Set(ids).size).toBe(200);
    expect(result.p50Ms).toBeGreaterThanOrEqual(29);
  });

  it('goes on sending while answers are late, so that each late answer counts', async () => {
    // Nothing is answered in the first 300 ms; a sender that waits would have sent one request in that time.
    const beganMs = performance.now();
    let firstMs = 0;
    const { url } = await answering((count) => {
      const nowMs = performance.now() - beganMs;
      if (count === 1) firstMs = nowMs;
      return Math.max(0, firstMs + 300 - nowMs);
    });
    const result = await ownLoop(url, { perSecond: 200 }, 0.4, 7, 0);
    expect(result).toMatchObject({ acknowledged: 80, failed: 0 });
    // 60 of 80 came in those 300 ms, and waited for 150 ms on average.
    expect(result.p50Ms).toBeGreaterThan(50);
  });

  it('stops cleanly, in a closed loop', async () => {
    const { url, ids } = await answering(() => 5);
    const result = await ownLoop(url, { connections: 4 }, 0.3, 7);
    expect(result.failed).toBe(0);
    expect(result.acknowledged).toBe(ids.length);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
