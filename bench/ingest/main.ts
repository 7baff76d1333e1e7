// Ingest against the limit (bare Fastify), the afternoon version and its peers: `npm run bench:ingest -- --help`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder, homeSettings } from '../../lib/config/home.ts';
import { readSettings } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import type { Surroundings } from './candidate.ts';
import { clusterOf, connectAdmin, createTopic } from './cluster.ts';
import { ownLoop } from './load/own.ts';
import type { LoadResult } from './load/result.ts';
import { closedLoopByWrk, connections, hasWrk } from './load/wrk.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { writePage } from './page.ts';
import { profile } from './profile/run.ts';
import { profileTable } from './profile/table.ts';
import type { Report } from './report.ts';
import { limit } from './roster.ts';
import { run } from './run.ts';
import { say } from './say.ts';
import { tableOf } from './table.ts';
import { temporaryFolder } from './temporary-folder.ts';

const options = readOptions(process.argv);
if (options.report === undefined) await measure(options);
else show(JSON.parse(readFileSync(options.report, 'utf8')) as Report);

async function measure({ candidates, rounds, seconds, profile: asProfile, top, json }: BenchOptions): Promise<void> {
  const sources = processSources();
  await using resources = new AsyncDisposableStack();
  const cluster = await clusterOf(sources, resources);
  const admin = await connectAdmin(cluster, resources);
  const surroundings: Surroundings = {
    cluster,
    createTopic: (topic) => createTopic(admin, topic),
    env: sources.env,
    logFolder: temporaryFolder(resources),
    buildFolder: join(homeFolder(readSettings(homeSettings, sources)), 'bench'),
    resources,
  };
  const withWrk = hasWrk();
  if (!withWrk)
    say('wrk is not installed: the closed loop is sent by Node, which leaves the servers less of the machine');
  const closedLoop = (url: string, loop: number): Promise<LoadResult> =>
    withWrk ? closedLoopByWrk(url, seconds, loop) : ownLoop(url, { connections }, seconds, loop);

  if (!asProfile) {
    show(await run(candidates, surroundings, { admin, rounds, seconds, closedLoop, withWrk }));
    return;
  }
  for (const candidate of candidates) {
    const found = await profile(candidate, surroundings, closedLoop);
    process.stdout.write(`${json ? JSON.stringify(found, null, 2) : profileTable(found, top)}\n`);
  }
}

function show(report: Report): void {
  process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : tableOf(report, limit.name)}\n`);
  if (options.write) writePage(report, limit.name);
  if (report.outcomes.every(({ check }) => check?.isRight !== false)) return;
  say('There are not as many records as were acknowledged, see the table');
  process.exitCode = 1;
}
