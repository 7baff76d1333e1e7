import { activities } from './activities.ts';
import { arrivals, everyMs } from './arrivals.ts';
import { aStranger, Community, type User } from './community.ts';
import type { Delivery } from './delivery.ts';
import { blockedFor, type Finding, someFinding } from './findings.ts';
import { type Callback, type Message, sentCallback, verdictCallback, writeMessage } from './message.ts';
import { inOrder, withFollowers } from './order.ts';
import { below, oneOf, type Random, seededRandom } from './random.ts';
import { hourOfDay, hourOfSqueezedDay } from './time-of-day.ts';

/** The one who goes on and on. */
export const abuser = 'abuser-1';

/** The usual label of the spike, and the number of accounts that it comes from. */
export const spike = { label: 'Ad', senders: 150 };

export interface AppTrafficOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly perSecond: number;
  readonly sdkAppId: number;
  readonly startMs: number;
  /** Only verdicts, or everything that users do. */
  readonly mix: 'verdicts' | 'all';
  readonly spikeLabel: string | undefined;
  readonly hasAbuser: boolean;
  readonly dayMs: number | undefined;
}

/** Somebody does something: writes with a given finding, or whatever people do. */
interface Trigger {
  readonly atMs: number;
  readonly by: 'anybody' | 'abuser' | 'spike';
}

/** A delivery, and the one that it brings about a little later. */
interface Step extends Delivery {
  readonly next?: Step;
}

const redeliveredShare = 0.03;
const redelivery = { minMs: 300, spreadMs: 1_500 };
/** How long moderation takes. */
const moderation = { minMs: 50, spreadMs: 350 };
const abuserIntervalMs = 4_000;
/** The spike, as shares of the duration, and how much it is: a share of the other traffic, at least enough to be one. */
const spikeTimes = { begin: 0.4, end: 0.6 };
const spikeRate = { share: 0.25, minPerSecond: 25 };
/** As many people as an app with so much traffic has, within what fits into memory. */
const people = { perCallbackASecond: 20, min: 400, max: 20_000 };
const recentMessages = 64;

const writingShare = 1 - activities.reduce((sum, { share }) => sum + share, 0);

/** The traffic of one app. */
export class AppTraffic {
  readonly #options: AppTrafficOptions;
  readonly #random: Random;
  readonly #community: Community;
  readonly #abuser: User;
  readonly #spikeSenders: readonly User[];
  readonly #recent: Message[] = [];
  #written = 0;

  constructor(options: AppTrafficOptions) {
    this.#options = options;
    const random = seededRandom(options.seed);
    const size = Math.min(people.max, Math.max(people.min, Math.round(people.perCallbackASecond * options.perSecond)));
    const community = new Community(size, random);
    this.#random = random;
    this.#community = community;
    this.#abuser = aStranger(abuser, community, random);
    this.#spikeSenders = Array.from({ length: spike.senders }, (_, index) =>
      aStranger(`spike-${index + 1}`, community, random),
    );
  }

  /** Deliveries in order of time, made one after the other. */
  *deliveries(): Generator<Delivery> {
    for (const { next: _, ...delivery } of withFollowers(this.#steps(), (step) => this.#followers(step)))
      yield delivery;
  }

  *#steps(): Generator<Step> {
    for (const trigger of inOrder(this.#triggers())) yield this.#act(trigger);
  }

  #triggers(): readonly Iterable<Trigger>[] {
    const { durationMs, perSecond, mix, dayMs, hasAbuser, spikeLabel, seed } = this.#options;
    // Who writes is the cause of two callbacks when messages are sent as well.
    const timesASecond = mix === 'all' ? perSecond / (1 + writingShare) : perSecond;
    // A generator of its own: when somebody does something does not hang on what was done before.
    const times = arrivals({ random: seededRandom(~seed), perSecond: timesASecond, durationMs, dayMs });
    const spikePerSecond = Math.max(spikeRate.minPerSecond, spikeRate.share * timesASecond);
    const spikeFromMs = spikeTimes.begin * durationMs;
    return [
      triggers('anybody', times),
      ...(hasAbuser ? [triggers('abuser', everyMs(abuserIntervalMs, abuserIntervalMs / 2, durationMs))] : []),
      ...(spikeLabel === undefined
        ? []
        : [triggers('spike', everyMs(1_000 / spikePerSecond, spikeFromMs, spikeTimes.end * durationMs))]),
    ];
  }

  #act({ atMs, by }: Trigger): Step {
    const random = this.#random;
    if (by === 'abuser') return this.#write(atMs, this.#abuser, blockedFor('Abuse'));
    if (by === 'spike') {
      return this.#write(atMs, oneOf(random, this.#spikeSenders), blockedFor(this.#options.spikeLabel ?? spike.label));
    }
    const user = this.#community.someone(this.#hour(atMs));
    const other = this.#options.mix === 'all' ? this.#doSomething(atMs, user) : undefined;
    return other ?? this.#write(atMs, user, someFinding(random));
  }

  /** What a user does beside writing; `undefined` when he writes. */
  #doSomething(atMs: number, user: User): Step | undefined {
    const [random, community, recent] = [this.#random, this.#community, this.#recent];
    let rest = random();
    for (const { share, act } of activities) {
      rest -= share;
      if (rest >= 0) continue;
      const callback = act({ community, random, user, recent, timeMs: this.#timeMs(atMs) });
      return callback && this.#step(atMs, callback);
    }
    return undefined;
  }

  #write(atMs: number, sender: User, finding: Finding): Step {
    const { mix, sdkAppId, seed } = this.#options;
    const random = this.#random;
    const message = writeMessage({ number: this.#written, sender, finding, timeMs: this.#timeMs(atMs) }, random);
    this.#written += 1;
    const verdict = verdictCallback(message, { sdkAppId, seed });
    if (mix === 'verdicts') return this.#step(atMs, verdict);
    if (finding.result === 0) this.#remember(message);
    const verdictAtMs = atMs + moderation.minMs + moderation.spreadMs * random();
    return { ...this.#step(atMs, sentCallback(message, random)), next: this.#step(verdictAtMs, verdict) };
  }

  #remember(message: Message): void {
    if (this.#recent.length < recentMessages) this.#recent.push(message);
    else this.#recent[below(this.#random, recentMessages)] = message;
  }

  #step(atMs: number, { command, body, query }: Callback): Step {
    const { sdkAppId } = this.#options;
    return { atMs, sdkAppId, command, body: JSON.stringify(body), ...(query && { query }), isRedelivery: false };
  }

  #followers(step: Step): readonly Step[] {
    const { next, ...delivery } = step;
    const followers = next === undefined ? [] : [next];
    if (delivery.isRedelivery || this.#random() >= redeliveredShare) return followers;
    const atMs = delivery.atMs + redelivery.minMs + redelivery.spreadMs * this.#random();
    return [...followers, { ...delivery, atMs, isRedelivery: true }];
  }

  #hour(atMs: number): number {
    const { dayMs, startMs } = this.#options;
    return dayMs === undefined ? hourOfDay(startMs + atMs) : hourOfSqueezedDay(atMs, dayMs);
  }

  #timeMs(atMs: number): number {
    return Math.floor(this.#options.startMs + atMs);
  }
}

function* triggers(by: Trigger['by'], times: Iterable<number>): Generator<Trigger> {
  for (const atMs of times) yield { atMs, by };
}
