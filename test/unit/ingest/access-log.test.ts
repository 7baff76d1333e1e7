import { connect } from 'node:net';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeadlineError } from '../../../ingest/publish/deadline.ts';
import { sdkAppId, smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { closed } from '../../support/closed.ts';
import { anIngestApp, listening, signedUrl } from '../../support/ingest-app.ts';

/** Lines that the real logger wrote at its most talkative level. */
function capture() {
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  return { lines, logger };
}

describe("ingest's log at its most talkative", () => {
  it('holds no query string, token or body, however a request ends', async () => {
    const { lines, logger } = capture();
    const fates = [
      () => Promise.resolve('kafka' as const),
      () => Promise.reject(new DeadlineError('late')),
      () => Promise.reject(new TypeError('bug')),
    ];
    let fate = 0;
    const { app, clock } = anIngestApp({
      logger,
      requestTimeoutMs: 200,
      publish: () => (fates[fate] ?? fates[0])?.() ?? Promise.resolve('kafka' as const),
    });
    onTestFinished(() => app.close());
    const { port } = await listening(app);
    const send = async (target: string, body: string, declared = body.length): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.write(
        `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${declared}\r\n\r\n${body}`,
      );
      await closed(socket);
      return Buffer.concat(chunks).toString().slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
    };
    const url = signedUrl(verdictCommand, clock.nowMs(), { note: 'NOTE' });
    const stale = signedUrl(verdictCommand, clock.nowMs() - 100_000, { note: 'NOTE' });
    const text = JSON.stringify({ ...smallestVerdict, TextContent: ['TEXT'] });
    const statuses: string[] = [];
    for (fate of [0, 1, 2]) statuses.push(await send(url, text));
    fate = 0;
    statuses.push(
      await send(url, '{"TEXT'),
      await send(url, '{}'),
      await send(stale, text),
      await send(`/?SdkAppid=${sdkAppId}&note=NOTE&RequestTime=1&Sign=${'0'.repeat(64)}`, text),
      await send(`/?note=NOTE`, text),
      await send(`/other?note=NOTE`, text),
      await send('/%zz?note=NOTE', text),
      await send(url, 'TEXT'.repeat(1_000)),
      await send(url, '{"TEXT', 100),
      await send('NOTE?note=NOTE', text),
      await send(`/?${'NOTE'.repeat(10_000)}`, text),
    );
    expect(statuses).toEqual([
      '200',
      '503',
      '500',
      '200',
      '200',
      '403',
      '403',
      '403',
      '404',
      '400',
      '413',
      '408',
      '400',
      '431',
    ]);
    expect(lines.filter((line) => line.includes('"msg":"callback"'))).toHaveLength(4);
    expect(lines.filter((line) => line.includes('"msg":"refused"')).length).toBeGreaterThanOrEqual(6);
    expect(lines.join('')).not.toMatch(/NOTE|TEXT|Sign=|RequestTime|xxxxyyyy|\?/);
  });
});
