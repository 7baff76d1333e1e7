import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { curlLine } from '../../../cli/banner.ts';
import { callbackUrl } from '../../../cli/callback-url.ts';
import { withDefaultApp } from '../../../cli/default-app.ts';
import { parseMetrics } from '../../../cli/management-client.ts';
import { table } from '../../../cli/output.ts';
import { commandOfSample, readSample, sampleNames } from '../../../cli/samples.ts';
import { StatusLine } from '../../../cli/status-line.ts';
import { commands } from '../../../ingest/tencent/commands.ts';
import { parseQuery } from '../../../ingest/tencent/query.ts';
import { SignatureCheck } from '../../../ingest/tencent/signature.ts';

const nowMs = 1_700_000_000_000;

describe('callbackUrl', () => {
  it('is what Tencent would call, signed for now', () => {
    const url = new URL(callbackUrl('https://h/callback', { sdkAppId: 7, tokens: ['t'] }, 'A.B', nowMs));
    expect(url.origin + url.pathname).toBe('https://h/callback');
    const query = parseQuery(url.search.slice(1));
    expect(query).toMatchObject({ sdkAppId: '7', command: 'A.B', contentType: 'json', requestTime: '1700000000' });
    expect(new SignatureCheck(['t']).check(query, nowMs)).toBe('valid');
  });

  it('has no signature for an app without a token', () => {
    expect(callbackUrl('http://h', { sdkAppId: 7, tokens: [] }, 'A.B', nowMs)).toBe(
      'http://h/?SdkAppid=7&CallbackCommand=A.B&contenttype=json',
    );
  });
});

describe('curlLine', () => {
  /** The arguments that a shell gives to curl. */
  function argumentsOf(line: string): readonly string[] {
    return execFileSync('sh', ['-c', line.replace(/^curl /, `printf '%s\\n' `)], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
  }

  it('pastes into a shell as the sample verdict of the app', () => {
    const args = argumentsOf(curlLine('http://127.0.0.1:8080', { sdkAppId: 7, tokens: [] }));
    expect(args.slice(0, 2)).toEqual([
      '-sS',
      'http://127.0.0.1:8080/?SdkAppid=7&CallbackCommand=ContentCallback.ResultNotify&contenttype=json',
    ]);
    expect(JSON.parse(args.at(-1) ?? '')).toMatchObject({ SdkAppId: 7, Scene: 'C2C', CtxcbResult: 1 });
  });

  it('does not show the token of an app that has one', () => {
    const line = curlLine('http://127.0.0.1:8080', { sdkAppId: 7, tokens: ['sesame'] });
    expect(line).not.toContain('sesame');
    expect(line).toContain('$(npx imwatch send --print-url --app 7 --url http://127.0.0.1:8080)');
  });
});

describe('samples', () => {
  it('are all JSON objects, and their names begin with their command', () => {
    expect(sampleNames().length).toBeGreaterThanOrEqual(3);
    for (const name of sampleNames()) {
      expect(JSON.parse(readSample(name, 7)).SdkAppId ?? 7).toBe(7);
      expect(commands.has(commandOfSample(name)), name).toBe(true);
    }
  });

  it('of an unknown name are refused with names that are near', () => {
    const refusal = (name: string): string => {
      try {
        return readSample(name, 7);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refusal('C2C.CallbackAftrSendMsg')).toMatch(
      /^No sample "C2C.CallbackAftrSendMsg", did you mean C2C.CallbackAfterSendMsg, .*\? imwatch send --samples lists them all$/,
    );
    expect(refusal('friendadd')).toContain('did you mean Sns.CallbackFriendAdd, Sns.CallbackPrevFriendAdd?');
    expect(refusal('xyz')).toBe('No sample "xyz". imwatch send --samples lists them all');
  });
});

describe('withDefaultApp', () => {
  const empty = { env: {}, file: {}, running: {} };

  it('stands in only where no app is configured', () => {
    expect(withDefaultApp(empty).env).toEqual({ IMWATCH_SDK_APP_ID: '1400187352' });
    expect(withDefaultApp({ ...empty, file: { IMWATCH_SDK_APP_ID: '5' } }).env).toEqual({});
    expect(withDefaultApp({ ...empty, env: { IMWATCH_APPS: '[]' } }).env).toEqual({ IMWATCH_APPS: '[]' });
  });
});

describe('parseMetrics', () => {
  it('gives each labelled sample and the sum over labels', () => {
    const samples = parseMetrics('# HELP a b\n# TYPE a counter\na{x="1"} 2\na{x="2"} 3\nb 4.5\n\n');
    expect(Object.fromEntries(samples)).toEqual({ a: 5, 'a{x="1"}': 2, 'a{x="2"}': 3, b: 4.5 });
  });
});

describe('StatusLine', () => {
  it('tells what was acknowledged and what came of it, over all services, and how fast since it was last asked', () => {
    const status = new StatusLine();
    const ingest = (acknowledged: number) =>
      parseMetrics(`ingest_answers_total{durable="kafka"} ${acknowledged}\ningest_refused_total{reason="app"} 2`);
    const penalties = parseMetrics(
      'penalties_ledger_entries_total{kind="STRIKE"} 4\nconsumer_events_total{outcome="park"} 1',
    );
    expect(status.text([ingest(100), penalties], nowMs)).toBe(
      '100 acknowledged  ·  0/s  ·  0 counted  ·  4 strikes  ·  0 decisions  ·  0 alerts  ·  1 dead letters  ·  2 refused  ·  0 waiting',
    );
    expect(status.text([ingest(300)], nowMs + 2000)).toContain('300 acknowledged  ·  100/s');
    expect(status.text([ingest(300), undefined], nowMs + 3000)).toMatch(/^1 services do not answer/);
  });
});

describe('table', () => {
  it('aligns its columns and leaves the last as it is', () => {
    expect(
      table([
        ['a', 'bb', 'c'],
        ['aaa', 'b', 'cc'],
      ]),
    ).toBe('a    bb  c\naaa  b   cc');
  });
});
