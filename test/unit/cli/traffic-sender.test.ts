import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrafficSender } from '../../../cli/traffic-sender.ts';
import type { Delivery } from '../../../dev/traffic/delivery.ts';
import { systemClock } from '../../../lib/clock.ts';

const apps = [
  { sdkAppId: 1, tokens: ['one'] },
  { sdkAppId: 2, tokens: [] },
];

interface Received {
  readonly query: URLSearchParams;
  readonly body: string;
}

let server: Server;
let url: string;
let received: Received[];
let answer: (number: number) => number;
let stop: AbortController;
let sender: TrafficSender;

beforeEach(async () => {
  received = [];
  answer = () => 200;
  stop = new AbortController();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({
      query: new URL(request.url ?? '', 'http://localhost').searchParams,
      body: Buffer.concat(chunks).toString(),
    });
    response.writeHead(answer(received.length)).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  sender = new TrafficSender({ url, apps, clock: systemClock, signal: stop.signal });
});
afterEach(() => server.close());

function aDelivery(number: number, more: Partial<Delivery> = {}): Delivery {
  return { atMs: 0, sdkAppId: 2, command: 'A.B', body: `{"number":${number}}`, isRedelivery: false, ...more };
}

describe('TrafficSender', () => {
  it('delivers each until it is acknowledged, and counts attempts apart from deliveries', async () => {
    answer = (number) => (number === 1 ? 503 : 200);
    await sender.send([aDelivery(1), aDelivery(2, { command: 'C.D' }), aDelivery(1, { isRedelivery: true })]);
    expect(sender.counts).toMatchObject({
      sent: 3,
      acknowledged: 3,
      redelivered: 1,
      repeated: 1,
      byCommand: { 'A.B': 2, 'C.D': 1 },
      lastFailure: '503 {}',
    });
    expect(received).toHaveLength(4);
  });

  it('asks as the app of the delivery, with what its client adds to the query', async () => {
    const query = { ClientIP: '198.18.0.1', OptPlatform: 'iOS' };
    await sender.send([aDelivery(1, { sdkAppId: 1, query }), aDelivery(2)]);
    const of = (id: string) => received.find((each) => each.query.get('SdkAppid') === id)?.query;
    expect(Object.fromEntries(of('2') ?? [])).toEqual({ SdkAppid: '2', CallbackCommand: 'A.B', contenttype: 'json' });
    const signed = of('1');
    expect(signed?.get('ClientIP')).toBe('198.18.0.1');
    expect(signed?.get('OptPlatform')).toBe('iOS');
    expect(signed?.get('Sign')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('takes a plan as it goes: from an endless one no more than is on its way', async () => {
    let made = 0;
    const endless = function* (): Generator<Delivery> {
      for (;;) yield aDelivery(made++);
    };
    answer = (number) => {
      if (number === 200) stop.abort();
      return 200;
    };
    await sender.send(endless());
    expect(sender.counts.sent).toBeLessThan(5_000);
    expect(made - sender.counts.sent).toBeLessThanOrEqual(1);
    expect(sender.counts.acknowledged).toBe(sender.counts.sent);
  });

  it('ends at the signal although the next delivery is far away', async () => {
    const sending = sender.send([aDelivery(1), aDelivery(2, { atMs: 3_600_000 })]);
    while (sender.counts.acknowledged < 1) await new Promise(setImmediate);
    stop.abort();
    await sending;
    expect(sender.counts).toMatchObject({ sent: 1, acknowledged: 1 });
  });
});
