import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { request } from 'undici';
import { systemClock } from '../../lib/clock.ts';
import type { App } from '../../lib/config/apps.ts';
import { messageOf, UserError } from '../../lib/errors.ts';
import { chooseApp } from '../app-choice.ts';
import { callbackUrl } from '../callback-url.ts';
import { withDefaultApp } from '../default-app.ts';
import { exitCodes } from '../exit-codes.ts';
import { localIngestUrl } from '../ingest-url.ts';
import { escapeControls, green, note, print, red } from '../output.ts';
import { commandOfSample, defaultSample, readSample, sampleNames } from '../samples.ts';
import { commandSources } from '../settings.ts';

interface Options {
  readonly sample?: string;
  readonly command?: string;
  readonly app?: string;
  readonly url?: string;
  readonly printUrl?: boolean;
  readonly json?: boolean;
}

interface Outgoing {
  readonly command: string;
  readonly body: string;
}

const timeoutMs = 15_000;

export function sendCommand(): Command {
  return new Command('send')
    .description('sign and post one callback, or a file of them, as Tencent would')
    .argument('[file]', 'bodies as JSON, one a line or one in all; - reads standard input')
    .option('--sample <name>', `send a sample: ${sampleNames().join(', ')}`)
    .option('--command <name>', 'CallbackCommand of the bodies')
    .option('--app <sdkAppId>', 'for which of the apps, when there are several')
    .option('--url <url>', 'where to; not set: ingest on this machine')
    .option('--print-url', 'print the signed URL and send nothing')
    .option('--json', 'print an answer as JSON, one a line')
    .action((file: string | undefined, options: Options) => send(file, options));
}

async function send(file: string | undefined, options: Options): Promise<void> {
  const sources = withDefaultApp(await commandSources());
  const app = chooseApp(sources, options.app);
  const base = options.url ?? localIngestUrl(sources);
  if (options.printUrl === true) {
    print(callbackUrl(base, app, options.command ?? defaultSample, systemClock.nowMs()));
    return;
  }
  for (const outgoing of callbacks(file, options, app)) {
    const taken = await post(base, app, outgoing, options.json === true);
    if (!taken) process.exitCode = exitCodes.problem;
  }
}

/** What is to be sent. A body that names no command is a verdict, the one callback whose body never does. */
function callbacks(file: string | undefined, { sample, command }: Options, app: App): readonly Outgoing[] {
  if (file !== undefined && sample !== undefined) throw new UserError('A file and --sample exclude each other');
  if (file === undefined) {
    const name = sample ?? defaultSample;
    return [{ command: command ?? commandOfSample(name), body: readSample(name, app.sdkAppId) }];
  }
  const text = readInput(file);
  const whole = commandIn(text);
  if (whole !== undefined) return [{ command: command ?? (whole || defaultSample), body: text }];
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ command: command ?? (commandIn(line) || defaultSample), body: line }));
}

function readInput(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UserError(`Cannot read ${file}: ${messageOf(error)}`);
  }
}

/** CallbackCommand of a JSON text, empty when it names none, `undefined` when the text is not one JSON value. */
function commandIn(text: string): string | undefined {
  try {
    const { CallbackCommand: command } = Object(JSON.parse(text)) as { CallbackCommand?: unknown };
    return typeof command === 'string' ? command : '';
  } catch {
    return undefined;
  }
}

async function post(base: string, app: App, { command, body }: Outgoing, json: boolean): Promise<boolean> {
  const url = callbackUrl(base, app, command, systemClock.nowMs());
  const started = systemClock.monotonicMs();
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await request(url, { method: 'POST', headers, body, headersTimeout: timeoutMs });
    const text = await answer.body.text();
    const tookMs = Math.round(systemClock.monotonicMs() - started);
    if (json) print(JSON.stringify({ command, status: answer.statusCode, tookMs, answer: jsonOr(text) }));
    else
      print(
        `${answer.statusCode === 200 ? green('200') : red(String(answer.statusCode))} ${command} ${tookMs} ms ${escapeControls(text)}`,
      );
    return answer.statusCode === 200;
  } catch (error) {
    note(`${base} does not answer: ${messageOf(error)}`);
    return false;
  }
}

/** The JSON value of an answer; the text itself when something else than ingest answers. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
