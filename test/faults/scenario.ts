import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { sleep, systemClock } from '../../lib/clock.ts';
import type { OwnCluster } from '../support/own-cluster.ts';
import { serviceEnvironment } from '../support/pipeline.ts';
import { type Answers, IngestProcess } from './ingest-process.ts';
import { type Judgement, judge } from './judge.ts';
import { beforeFaultMs, isLong, perSecond, seconds } from './length.ts';
import { readFound } from './reading.ts';
import { Sending } from './sending.ts';

/** Tencent waits this long for an answer. */
const answerLimitMs = 2_000;
const pollMs = 50;
const progressMs = 10_000;

/** What a scenario is played with. */
export interface Stage {
  readonly cluster: OwnCluster;
  /** The first, which is the only one unless more were wanted. */
  readonly ingest: IngestProcess;
  readonly ingests: readonly IngestProcess[];
  readonly sending: Sending;
  readonly spoolFolder: string;
}

export interface Fault {
  readonly cluster: OwnCluster;
  /** Processes of ingest that share the spool; one unless given. */
  readonly processes?: number;
  /** Settings of ingest beside the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What ingest is started by, given the folder of the spool. */
  readonly startedBy?: (spoolFolder: string) => readonly string[];
  /** What is wrong already when ingest starts. */
  readonly atStart?: () => Promise<void>;
  /** Brings it about, and resolves when it is over, after about `faultMs`. */
  readonly play: (stage: Stage) => Promise<void>;
}

/** What a scenario has shown: a row of the table. */
export interface Outcome extends Judgement {
  readonly scenario: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** From the end of the fault until nothing is left on the disk and ingest is ready. */
  readonly recoveryMs: number;
  /** Callbacks by where they were durable when they were answered; what a killed process has not told is missing. */
  readonly answers: Answers;
  /** How far the sender was behind its rate at worst. */
  readonly senderLagMs: number;
}

declare module 'vitest' {
  interface TaskMeta {
    fault?: Outcome;
  }
}

/**
 * Sends callbacks of known ids to ingest while `fault` comes and goes, waits until ingest is well again, and holds what
 * was acknowledged against what stands on the topics. What holds in every scenario is expected here.
 */
export async function underFault({ task, onTestFinished }: TestContext, fault: Fault): Promise<Outcome> {
  const { cluster, processes = 1 } = fault;
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-fault-'));
  onTestFinished(() => {
    if (task.result?.state === 'fail') process.stdout.write(`${task.name}: what was sent and found is in ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true });
  });
  const spoolFolder = join(folder, 'spool');
  mkdirSync(spoolFolder);
  const env = serviceEnvironment({ ...cluster.settings, INGEST_SPOOL_DIR: spoolFolder, ...fault.settings });
  const before = fault.startedBy?.(spoolFolder) ?? [];
  const ingests = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      IngestProcess.create(env, join(folder, `ingest-${index}.log`), before),
    ),
  );
  const [ingest] = ingests;
  if (ingest === undefined) throw new Error('A scenario needs an ingest');
  onTestFinished(async () => {
    await Promise.all([...cluster.brokers, cluster.registry].map((program) => program.recover()));
  });
  onTestFinished(() => Promise.all(ingests.map((each) => each.kill())).then(() => undefined));
  const sending = new Sending(folder);
  onTestFinished(() => sending.kill());
  const stage: Stage = { cluster, ingest, ingests, sending, spoolFolder };
  const stopProgress = isLong ? showProgress(task.name, stage) : () => undefined;
  onTestFinished(stopProgress);

  await fault.atStart?.();
  await Promise.all(ingests.map((each) => each.start()));
  if (fault.atStart === undefined) await untilWell(ingests);
  await sending.begin(
    ingests.map(({ url }) => url),
    perSecond,
  );
  const begunMs = performance.now();
  if (fault.atStart === undefined) await sleep(systemClock, beforeFaultMs);
  await fault.play(stage);
  const endedMs = performance.now();
  const [recoveryMs] = await Promise.all([
    untilWell(ingests).then(() => Math.round(performance.now() - endedMs)),
    sleep(systemClock, Math.max(0, begunMs + seconds * 1000 - endedMs)).then(() => sending.enough()),
  ]);
  const sent = await sending.all();
  await untilWell(ingests);
  const answers = await sumOf(ingests);
  const found = await readFound(env);
  writeFileSync(join(folder, 'found.json'), JSON.stringify(found));
  const judgement = judge(sent, found);
  const outcome: Outcome = {
    scenario: task.name,
    perSecond,
    seconds,
    ...judgement,
    recoveryMs,
    answers,
    senderLagMs: Math.round(sending.counts.lagMs),
  };
  task.meta.fault = outcome;
  stopProgress();
  expect(outcome).toMatchObject({ lost: 0, lostFirst: [], unknown: 0, outOfOrder: 0, outOfOrderFirst: [] });
  // A sender that is late itself, on a machine that has other things to do, sees answers later than they are.
  expect(outcome.longestMs).toBeLessThan(answerLimitMs + outcome.senderLagMs);
  expect(outcome.acknowledged).toBeGreaterThan(0);
  return outcome;
}

/** Resolves when every ingest that runs is ready and has nothing on its disk. */
async function untilWell(ingests: readonly IngestProcess[]): Promise<void> {
  for (const ingest of ingests.filter(({ hasEnded }) => !hasEnded)) {
    while (!(await ingest.isWell())) await sleep(systemClock, pollMs);
  }
}

async function sumOf(ingests: readonly IngestProcess[]): Promise<Answers> {
  const all = await Promise.all(ingests.map((ingest) => ingest.answers()));
  const sum = (durable: keyof Answers): number => all.reduce((total, each) => total + each[durable], 0);
  return { kafka: sum('kafka'), disk: sum('disk'), none: sum('none') };
}

/** Says every 10 s how far it is; the returned function ends that. */
function showProgress(scenario: string, { sending, ingest }: Stage): () => void {
  const began = performance.now();
  const show = async (): Promise<void> => {
    const { sent, acknowledged, refused, unanswered } = sending.counts;
    const after = Math.round((performance.now() - began) / 1000);
    const status = ingest.hasEnded ? 'away' : ((await ingest.status()) ?? 'starting');
    process.stdout.write(
      `${scenario}: ${after} s, ${sent} sent, ${acknowledged} acknowledged, ${refused} refused, ${unanswered} unanswered, ingest is ${status}\n`,
    );
  };
  const timer = setInterval(() => void show(), progressMs);
  return () => clearInterval(timer);
}
