import { Command, InvalidArgumentError } from 'commander';
import { commandOf } from '../../ingest/tencent/commands.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import type { App } from '../../lib/config/apps.ts';
import { readSettings } from '../../lib/config/read.ts';
import { messageOf, UserError } from '../../lib/errors.ts';
import { schemaSettings } from '../../schemas/settings.ts';
import { topicName } from '../../schemas/topics.ts';
import { chooseApp } from '../app-choice.ts';
import { callbackUrl } from '../callback-url.ts';
import { withDefaultApp } from '../default-app.ts';
import { exitCodes } from '../exit-codes.ts';
import { localIngestUrl } from '../ingest-url.ts';
import { escapeControls, green, note, print, red, table } from '../output.ts';
import { commandOfSample, defaultSample, readSample, sampleNames } from '../samples.ts';
import { textOfFile } from '../send/input.ts';
import { type Outgoing, readOutgoing } from '../send/outgoing.ts';
import { post } from '../send/post.ts';
import { jsonTexts, linesOf } from '../send/text-lines.ts';
import { commandSources } from '../settings.ts';

interface Options {
  readonly sample?: string;
  readonly samples?: boolean;
  readonly command?: string;
  readonly rate?: number;
  readonly app?: string;
  readonly url?: string;
  readonly printUrl?: boolean;
  readonly json?: boolean;
}

const examples = `
A file holds one JSON object a line, or one in all that may span lines. A line is a body as Tencent sends it, or
  {"command": "C2C.CallbackAfterSendMsg", "query": {"OptPlatform": "iOS"}, "body": {...}}
of which only body must be there; query is added to the signed URL. A line that is neither is named with its number on
standard error, the others are sent, and the exit code is 1, as it is when a callback is refused.

Examples:
  imwatch send --sample C2C.CallbackAfterSendMsg
  imwatch send --rate 50 callbacks.jsonl`;

export function sendCommand(): Command {
  return new Command('send')
    .description('sign and post one callback, or a file of them, as Tencent would')
    .argument('[file]', 'bodies as JSON, one a line or one in all; - reads standard input')
    .option('--sample <name>', `send a sample, for example ${defaultSample}`)
    .option('--samples', 'list the samples with their commands and topics, and send nothing')
    .option('--command <name>', 'CallbackCommand of the bodies, whatever they say themselves')
    .option('--rate <count>', 'at most so many a second; not set: one after the other', perSecond)
    .option('--app <sdkAppId>', 'for which of the apps, when there are several')
    .option('--url <url>', 'where to; not set: ingest on this machine')
    .option('--print-url', 'print the signed URL and send nothing')
    .option('--json', 'print an answer as JSON, one a line')
    .addHelpText('after', examples)
    .action((file: string | undefined, options: Options) => send(file, options));
}

function perSecond(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100_000)) throw new InvalidArgumentError('expected a number above 0, up to 100000');
  return value;
}

async function send(file: string | undefined, options: Options): Promise<void> {
  const { sample, command, json = false } = options;
  if (file !== undefined && sample !== undefined) throw new UserError('A file and --sample exclude each other');
  const sources = withDefaultApp(await commandSources());
  if (options.samples === true) {
    listSamples(readSettings(schemaSettings, sources).topicPrefix, json);
    return;
  }
  const app = chooseApp(sources, options.app);
  const base = options.url ?? localIngestUrl(sources);
  if (options.printUrl === true) {
    print(callbackUrl(base, app, command ?? defaultSample, systemClock.nowMs()));
    return;
  }
  if (file === undefined) {
    const name = sample ?? defaultSample;
    const body = readSample(name, app.sdkAppId);
    const taken = await sendOne(base, app, { command: command ?? commandOfSample(name), body, query: {} }, { json });
    if (!taken) process.exitCode = exitCodes.problem;
  } else await sendFile(file, base, app, options);
}

function listSamples(topicPrefix: string, json: boolean): void {
  const rows = sampleNames().map((sample) => {
    const command = commandOfSample(sample);
    return { sample, command, topic: topicName(topicPrefix, commandOf(command).family.topic) };
  });
  if (json) for (const row of rows) print(JSON.stringify(row));
  else print(table(rows.map(({ sample, command, topic }) => [sample, command, topic])));
}

async function sendFile(file: string, base: string, app: App, { command, rate, json = false }: Options): Promise<void> {
  const counts = { sent: 0, taken: 0, refused: 0, badLines: 0 };
  const beginMs = systemClock.monotonicMs();
  for await (const { number, text } of jsonTexts(linesOf(textOfFile(file)))) {
    const outgoing = readLine(text, number, command);
    if (outgoing === undefined) {
      counts.badLines += 1;
      continue;
    }
    const dueMs = rate === undefined ? 0 : beginMs + (counts.sent * 1_000) / rate;
    const waitMs = dueMs - systemClock.monotonicMs();
    if (waitMs > 0) await sleep(systemClock, waitMs);
    counts.sent += 1;
    if (await sendOne(base, app, outgoing, { json, line: number })) counts.taken += 1;
    else counts.refused += 1;
  }
  const { sent, taken, refused, badLines } = counts;
  if (json) print(JSON.stringify({ summary: counts }));
  else {
    const bad = badLines === 0 ? '' : `, ${badLines} bad ${badLines === 1 ? 'line' : 'lines'} left out`;
    print(`${sent} sent: ${taken} taken, ${refused} refused or not answered${bad}`);
  }
  if (taken < sent || badLines > 0) process.exitCode = exitCodes.problem;
}

/** The callback of a line; `undefined` when it is none, which is said. */
function readLine(text: string, line: number, command: string | undefined): Outgoing | undefined {
  try {
    return readOutgoing(text, command);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`line ${line}: ${escapeControls(messageOf(error))}`);
    return undefined;
  }
}

/** Sends a callback and says what came back. Returns whether it was taken. */
async function sendOne(
  base: string,
  app: App,
  outgoing: Outgoing,
  { json, line }: { readonly json: boolean; readonly line?: number },
): Promise<boolean> {
  const { command } = outgoing;
  const answered = await post(base, app, outgoing, systemClock);
  const where = line === undefined ? '' : `line ${line}: `;
  if ('failure' in answered) {
    note(`${where}${base} does not answer: ${answered.failure}`);
    return false;
  }
  const { status, tookMs, text } = answered;
  const isTaken = status === 200;
  if (json)
    print(JSON.stringify({ ...(line !== undefined && { line }), command, status, tookMs, answer: jsonOr(text) }));
  else if (isTaken) print(`${green('200')} ${escapeControls(command)} ${tookMs} ms ${escapeControls(text)}`);
  else print(`${red(String(status))} ${where}${escapeControls(command)} ${tookMs} ms ${escapeControls(text)}`);
  return isTaken;
}

/** The JSON value of an answer; the text itself when something else than ingest answers. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
