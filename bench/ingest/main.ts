// Ingest against the limit (bare Fastify), the afternoon version and its peers: `npm run bench:ingest -- --help`.
import { cpus } from 'node:os';
import { processSources } from '../../lib/config/sources.ts';
import { clusterOf, connectAdmin } from './cluster.ts';
import { contest, type Runner } from './contest.ts';
import { ownLoop } from './load/own.ts';
import type { LoadResult } from './load/result.ts';
import { closedLoopByWrk, connections, hasWrk } from './load/wrk.ts';
import { readOptions } from './options.ts';
import { listenerOn } from './processes.ts';
import { profile } from './profile/run.ts';
import { profileTable } from './profile/table.ts';
import { limit } from './roster.ts';
import { say } from './say.ts';
import { Server } from './server.ts';
import { type Report, tableOf } from './table.ts';

const fixedRate = 1_000;

const options = readOptions(process.argv);
const { rounds, seconds } = options;
const sources = processSources();
await using resources = new AsyncDisposableStack();
const cluster = await clusterOf(sources, resources);
const admin = await connectAdmin(cluster, resources);
const surroundings = { cluster, env: sources.env, resources };
const withWrk = hasWrk();
if (!withWrk)
  say('wrk is not installed: the closed loop is sent by Node, which leaves the servers less of the machine');
const closedLoop = (url: string, loop: number): Promise<LoadResult> =>
  withWrk ? closedLoopByWrk(url, seconds, loop) : ownLoop(url, { connections }, seconds, loop);

if (options.profile) {
  for (const candidate of options.candidates) {
    const found = await profile(candidate, surroundings, closedLoop);
    process.stdout.write(`${options.json ? JSON.stringify(found, null, 2) : profileTable(found, options.top)}\n`);
  }
} else {
  const runners: Runner[] = [];
  const missing: string[] = [];
  for (const candidate of options.candidates) {
    const server = await Server.start(candidate.title, await candidate.launch(surroundings));
    resources.defer(() => server.stop());
    runners.push({ candidate, server });
  }
  const brokerPid = listenerOn(Number(cluster.KAFKA_BROKERS.split(',')[0]?.split(':').at(-1)));
  const plan = { rounds, seconds, fixedRate, closedLoop, cutsOff: withWrk, admin, brokerPid };
  const report: Report = {
    about: {
      at: new Date().toISOString().slice(0, 10),
      node: process.versions.node,
      cores: cpus().length,
      processor: cpus()[0]?.model ?? 'unknown processor',
      rounds,
      seconds,
      fixedRate,
      loader: withWrk ? 'wrk' : 'closed loop by Node',
      missing,
    },
    outcomes: await contest(runners, plan),
  };
  process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : tableOf(report, limit.name)}\n`);
  if (report.outcomes.some(({ check }) => check?.isRight === false)) {
    say('Records and acknowledgements do not agree, see the table');
    process.exitCode = 1;
  }
}
