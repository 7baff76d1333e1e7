import { createInterface } from 'node:readline/promises';
import { systemClock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { LiveLine } from '../live-line.ts';
import { note, print, printJson } from '../output.ts';
import type { LetterFilter } from './filter.ts';
import { Pace } from './pace.ts';
import { RedrivePlan } from './plan.ts';
import { readLetters } from './read.ts';
import { Redriver } from './redrive.ts';
import { planText } from './texts.ts';
import type { Tools } from './tools.ts';
import { LetterWriter } from './write.ts';

export interface RedriveOptions {
  readonly dryRun?: boolean;
  readonly rate: number;
  readonly limit?: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Tries the dead letters that `filter` means with today's code and writes what has become an event; sets the exit code. Reads
 * them twice, first to say what would happen, so that they need not fit into memory.
 */
export async function redrive(tools: Tools, filter: LetterFilter, options: RedriveOptions): Promise<void> {
  const { attempts, signal } = tools;
  const plan = new RedrivePlan((event) => attempts.topicOf(event));
  await readLetters({ ...tools, filter }, async (placed) => plan.add(placed, await attempts.attempt(placed.letter)));
  if (options.limit !== undefined) plan.keepLatest(options.limit);
  if (plan.staying > 0) process.exitCode = exitCodes.problem;
  if (options.json !== true) printPlan(plan);

  const isWanted = !signal.aborted && plan.writing > 0 && options.dryRun !== true;
  const isConfirmed = isWanted && (options.yes === true || (await isAgreed(plan, signal)));
  const result = isConfirmed ? await write(tools, filter, plan, options) : undefined;
  if (signal.aborted || (isWanted && !isConfirmed)) process.exitCode = exitCodes.problem;
  if (isWanted && !isConfirmed) note('Nothing was redriven');
  if (options.json === true) {
    const { size: selected, repeated, staying, groups } = plan;
    const { done = 0, written = {}, kept = [] } = result ?? {};
    printJson({ dryRun: options.dryRun === true, selected, repeated, staying, groups, redriven: done, written, kept });
  }
  if (result?.failure !== undefined) throw result.failure;
}

function printPlan({ groups, size, repeated }: RedrivePlan): void {
  if (size === 0) {
    print('no dead letters to redrive');
    return;
  }
  print(planText(groups));
  if (repeated > 0)
    print(`${repeated} more are further deliveries of these; each callback and record is redriven once`);
}

async function isAgreed({ writing }: RedrivePlan, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    throw new UserError('Nobody can be asked here: say --yes to redrive, or --dry-run to see what would happen');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test(await terminal.question(`Redrive ${writing} of them? [y/N] `, { signal }));
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}

async function write(tools: Tools, filter: LetterFilter, plan: RedrivePlan, { rate, json }: RedriveOptions) {
  const { attempts, stop, values } = tools;
  await using writer = await LetterWriter.connect({ ...tools, cloudEvents: values.cloudEvents });
  const live = new LiveLine();
  const progress = json === true ? () => undefined : live.progress();
  const redriver = new Redriver({
    attempt: (letter) => attempts.attempt(letter),
    write: (attempt) => writer.write(attempt),
    pace: new Pace(systemClock, rate),
    stop,
    onProgress: (done) => progress(`${done} of ${plan.writing} redriven`),
  });
  await readLetters({ ...tools, filter }, async (placed) => {
    if (plan.takes(placed)) await redriver.take(placed);
  });
  const result = await redriver.end();
  live.clear();
  const { done, written, kept } = result;
  if (json !== true) {
    const topics = Object.entries(written).map(([topic, count]) => `${count} on ${topic}`);
    print(`${done} of ${plan.writing} redriven${topics.length > 0 ? `: ${topics.join(', ')}` : ''}`);
    if (plan.staying > 0) print(`${plan.staying} stay`);
  }
  for (const { eventId, detail } of kept) note(`${eventId} stays: ${detail}`);
  if (done < plan.writing) {
    process.exitCode = exitCodes.problem;
    note(`${plan.writing - done} were not redriven; the same command goes on, and writes nothing under another id`);
  }
  return result;
}
