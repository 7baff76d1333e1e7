import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PenaltiesProcessor } from '../../consumers/penalties/processor.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { untilAnswered } from '../../lib/kafka/until-answered.ts';
import { silentLogger } from '../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../schemas/codec.ts';
import { learnDestinations } from '../../schemas/destinations.ts';
import type { ContentVerdict, LedgerEntry, Standing } from '../../schemas/generated/events.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { clusterSettings } from '../../schemas/settings.ts';
import { topicName } from '../../schemas/topics.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { MapState } from '../support/map-state.ts';
import { type OwnCluster, startOwnCluster } from '../support/own-cluster.ts';
import { serviceEnvironment } from '../support/pipeline.ts';
import { makeTestFolder } from '../support/test-folder.ts';
import { aCounter, aVerdict } from '../support/verdicts.ts';
import { PenaltiesProcess } from './penalties-process.ts';

const partitions = 4;
const instances = 3;
/** Longer than the session of a member: another one has its partitions when it goes on. */
const longFreezeMs = 11_000;
const settleTimeoutMs = 90_000;
const policy = { muteAtStrikes: 3, strikeWindowMs: 86_400_000, muteMs: 3_600_000, exemptAccounts: new Set<string>() };

/** What happens while verdicts come; numbers choose an instance. */
type Step =
  | { readonly kind: 'write'; readonly count: number }
  | { readonly kind: 'kill' | 'freeze' | 'freeze for long' | 'stop' | 'start'; readonly instance: number }
  | { readonly kind: 'write again' | 'broker restarts' | 'broker freezes' | 'registry away' };

const anInstance = fc.nat({ max: instances - 1 });
const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 400 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill', 'freeze', 'stop', 'start', 'start'),
      instance: anInstance,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('freeze for long' as const), instance: anInstance }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('write again', 'write again', 'broker restarts', 'broker freezes', 'registry away'),
    }),
  },
);
const aSchedule = fc.array(aStep, { minLength: 12, maxLength: 18 });

/** SEEDS=n runs n schedules; SEED=n one of them again, or with SEEDS those from that one on. */
const { SEEDS, SEED } = processEnvironment();
const firstSeed = SEED === undefined ? 1 : Number(SEED);
const seeds = Array.from(
  { length: SEED === undefined ? Number(SEEDS ?? 3) : Number(SEEDS ?? 1) },
  (_, index) => firstSeed + index,
);

describe.skipIf(noEmbedded !== undefined)(`penalties in several instances${skipNote}`, () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startOwnCluster();
  });
  afterAll(() => cluster.stop());

  it.each(seeds)(
    'give what a single run over the verdicts gives, whatever ends, freezes or goes away: seed %i',
    { timeout: 5 * 60_000 },
    async (seed) => {
      const [schedule = []] = fc.sample(aSchedule, { seed, numRuns: 1 });
      const folder = makeTestFolder();
      try {
        const world = await World.create({ cluster, folder, seed });
        onTestFinished(() => world.end());
        await world.run([{ kind: 'start', instance: 0 }, { kind: 'write', count: 100 }, ...schedule]);
        await world.recover();
        expect(await world.settled()).toEqual(world.expected());
      } catch (error) {
        process.stderr.write(`seed ${seed}: failed, what is left of it is in ${keptCopy(folder, cluster.folder)}\n`);
        throw error;
      }
      if (seeds.length > 3)
        process.stderr.write(`seed ${seed}: ${schedule.length} steps, the ledger is as it should be\n`);
    },
  );
});

/** Entries of the ledger by partition, in order, as far as they say what was decided. */
type Ledger = Readonly<Record<number, readonly string[]>>;

interface WorldPlace {
  readonly cluster: OwnCluster;
  /** For the logs of the instances. */
  readonly folder: string;
  readonly seed: number;
}

/** Verdicts on their topic, instances of penalties that take them, and what they have written. */
class World {
  readonly #cluster: OwnCluster;
  readonly #env: Readonly<Record<string, string>>;
  readonly #sink: IdempotentSink;
  readonly #writer: RecordWriter;
  readonly #processes: readonly PenaltiesProcess[];
  readonly #random: (below: number) => number;
  /** Verdicts in the order of each partition, repeats included. */
  readonly #written = new Map<number, ContentVerdict[]>();
  /** Not long ago: Kafka removes what is older than the retention of its topic. */
  readonly #beganMs = Date.now();
  #count = 0;

  private constructor(
    { cluster, folder, seed }: WorldPlace,
    env: Readonly<Record<string, string>>,
    sink: IdempotentSink,
    writer: RecordWriter,
  ) {
    this.#cluster = cluster;
    this.#env = env;
    this.#sink = sink;
    this.#writer = writer;
    this.#processes = Array.from(
      { length: instances },
      (_, number) => new PenaltiesProcess(env, join(folder, `penalties-${number}.log`)),
    );
    const numbers = fc.sample(fc.nat({ max: 1_000_000 }), { seed, numRuns: 10_000 });
    let next = 0;
    this.#random = (below) => (numbers[next++ % numbers.length] ?? 0) % below;
  }

  static async create({ cluster, folder, seed }: WorldPlace): Promise<World> {
    const env = serviceEnvironment({ ...cluster.settings, IMWATCH_PARTITIONS: String(partitions) });
    const values = readSettings(clusterSettings, { env, file: {}, running: {} });
    const kafka = createKafka(values, 'imwatch-faults', silentLogger);
    const registry = createSchemaRegistry(values);
    // A broker that is removing the topics of the schedule before is late with those that are new.
    const destinations = await untilAnswered(AbortSignal.timeout(60_000), () =>
      learnDestinations({ kafka, registry, values }, ['verdict']),
    );
    const writer = new RecordWriter(destinations);
    const sink = new IdempotentSink(clusterOptions(values, 'imwatch-faults'));
    await sink.connect();
    return new World({ cluster, folder, seed }, env, sink, writer);
  }

  async run(schedule: readonly Step[]): Promise<void> {
    for (const step of schedule) {
      await this.#play(step);
      // Something between nothing and a whole transaction happens until the next one.
      await sleep(systemClock, this.#random(400));
    }
  }

  /** Brings everything back that is away. */
  async recover(): Promise<void> {
    for (const each of this.#processes) each.thaw();
    if (this.#processes.every((each) => !each.runs)) await this.#processes[0]?.start();
  }

  /** What stands on the ledger when as many entries are there as are expected, and nothing has come for some seconds. */
  async settled(): Promise<Ledger> {
    const wanted = Object.values(this.expected()).flat().length;
    const untilMs = performance.now() + settleTimeoutMs;
    let found = await this.#ledger();
    while (Object.values(found).flat().length < wanted && performance.now() < untilMs) {
      await sleep(systemClock, 500);
      found = await this.#ledger();
    }
    await Promise.all(this.#processes.filter((each) => each.runs).map((each) => each.stop()));
    return this.#ledger();
  }

  /** What one instance would have written that nothing happens to. */
  expected(): Ledger {
    const byPartition = Array.from(this.#written, ([partition, verdicts]) => {
      const options = { policy, state: new MapState<Standing>(), entries: aCounter('kind'), logger: silentLogger };
      const processor = new PenaltiesProcessor(options);
      const taken = new Set<string>();
      const entries = verdicts.flatMap((value, offset) => {
        if (taken.has(value.eventId)) return [];
        taken.add(value.eventId);
        const outcome = processor.take({ value, offset });
        return outcome.kind === 'ok' ? (outcome.outputs ?? []).map((output) => output.value as LedgerEntry) : [];
      });
      return [partition, entries.map(textOf)] as const;
    });
    return Object.fromEntries(byPartition);
  }

  async end(): Promise<void> {
    for (const each of this.#processes) await each.kill();
    await this.#sink.disconnect();
    // A broker with the topics of many schedules takes long to start.
    const { topicPrefix, ...values } = readSettings(clusterSettings, { env: this.#env, file: {}, running: {} });
    await withAdmin(createKafka(values, 'imwatch-faults', silentLogger), async (admin) => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${topicPrefix}.`));
      await admin.deleteTopics({ topics });
    });
  }

  async #play(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        return this.#write(Array.from({ length: step.count }, () => this.#newVerdict()));
      case 'write again': {
        const all = [...this.#written.values()].flat();
        return this.#write(
          Array.from({ length: 20 }, () => all[this.#random(all.length)]).filter((each) => each !== undefined),
        );
      }
      case 'broker restarts':
        await this.#cluster.brokers[0]?.kill();
        return this.#cluster.brokers[0]?.start();
      case 'broker freezes':
        this.#cluster.brokers[0]?.freeze();
        await sleep(systemClock, 1_000 + this.#random(3_000));
        return this.#cluster.brokers[0]?.thaw();
      case 'registry away':
        await this.#cluster.registry.kill();
        await this.#write(Array.from({ length: 50 }, () => this.#newVerdict()));
        return this.#cluster.registry.start();
      default:
        return this.#playOn(step.kind, this.#processes[step.instance]);
    }
  }

  async #playOn(
    kind: 'kill' | 'freeze' | 'freeze for long' | 'stop' | 'start',
    instance: PenaltiesProcess | undefined,
  ): Promise<void> {
    if (instance === undefined) return;
    if (kind === 'start') {
      if (!instance.runs) await instance.start();
      return;
    }
    if (!instance.runs) return;
    if (kind === 'kill') return instance.kill();
    if (kind === 'stop') return instance.stop();
    instance.freeze();
    await sleep(systemClock, kind === 'freeze' ? 500 + this.#random(2_000) : longFreezeMs);
    instance.thaw();
  }

  #newVerdict(): ContentVerdict {
    this.#count += 1;
    return aVerdict({
      eventId: randomBytes(16).toString('hex'),
      fromAccount: `user-${this.#random(60)}`,
      receivedAt: this.#beganMs + this.#count,
      ...(this.#random(4) === 0 && { result: 'PASSED', suggestion: 'PASS' }),
    });
  }

  async #write(verdicts: readonly ContentVerdict[]): Promise<void> {
    const records = verdicts.map((value) => {
      const key = `${value.sdkAppId}/${value.fromAccount}`;
      return this.#writer.recordOf({ topic: 'verdict', key, value, timestampMs: Date.now() });
    });
    // What is sent again may be there twice, which is no other than a repeat.
    for (;;) {
      for (const [index, { partition }] of records.entries()) {
        const verdict = verdicts[index];
        if (verdict !== undefined) this.#written.set(partition, [...(this.#written.get(partition) ?? []), verdict]);
      }
      try {
        await this.#sink.send(records);
        return;
      } catch {
        await sleep(systemClock, 200);
      }
    }
  }

  async #ledger(): Promise<Ledger> {
    const values = readSettings(clusterSettings, { env: this.#env, file: {}, running: {} });
    const registry = createSchemaRegistry(values);
    const found = new Map<number, string[]>();
    await readTopics({
      cluster: clusterOptions(values, 'imwatch-faults'),
      logger: silentLogger,
      topics: [topicName(values.topicPrefix, 'penalty.ledger')],
      start: 'beginning',
      follow: false,
      signal: new AbortController().signal,
      onCaughtUp: () => undefined,
      onRecord: async ({ partition, value }) => {
        if (value === null) return;
        const entry = decodeAs(await registry.writerType(schemaIdOf(value) ?? 0), value) as LedgerEntry;
        found.set(partition, [...(found.get(partition) ?? []), textOf(entry)]);
      },
    });
    return Object.fromEntries(found);
  }
}

/** A folder with what the instances, the broker and the registry have logged so far, which nobody removes. */
function keptCopy(...folders: readonly string[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'imwatch-seed-'));
  const isWanted = (path: string): boolean => basename(path) !== 'data';
  for (const folder of folders) cpSync(folder, copy, { recursive: true, filter: isWanted });
  return copy;
}

function textOf({ entryId, strikes, until }: LedgerEntry): string {
  return `${entryId} ${strikes} ${until ?? ''}`;
}
