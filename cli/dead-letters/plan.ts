import type { TranslatedEvent } from '../../ingest/tencent/request.ts';
import type { Attempt } from './attempt.ts';
import { type PlacedLetter, placeOf } from './letter.ts';
import type { Stays } from './retranslate.ts';

/** What becomes of dead letters that are alike. */
export interface PlanGroup {
  readonly service: string;
  readonly reason: string;
  readonly command: string | null;
  /**
   * `event`: it is one now, or several; `partly`: some items of its batch are still bad; `record`: it is written to its topic
   * again; `stays`: it is still bad; `nothing`: nothing is written for it today; `not-kept`: its texts are gone.
   */
  readonly outcome: 'event' | 'partly' | 'record' | 'stays' | 'nothing' | 'not-kept';
  /** Topics that something is written to. */
  readonly topics: readonly string[];
  /** What is wrong today, of the first of them. */
  readonly today: Stays | null;
  readonly why: string | null;
  readonly letters: number;
  /** Records that are written. */
  readonly records: number;
}

interface Entry {
  readonly place: string;
  readonly failedAtMs: number;
  readonly groupKey: string;
  readonly outcome: PlanGroup['outcome'];
  readonly records: number;
}

/** Outcomes by which something is written. */
const writing: ReadonlySet<PlanGroup['outcome']> = new Set(['event', 'partly', 'record']);

/** Outcomes after which the dead letter needs no one any more. */
const settling: ReadonlySet<PlanGroup['outcome']> = new Set(['event', 'record', 'nothing']);

/**
 * What a redrive would do, counted. Several dead letters with one `eventId` are one callback delivered several times; of them
 * the first that something can be made of is taken.
 */
export class RedrivePlan {
  readonly #topicOf: (event: TranslatedEvent) => string;
  readonly #groups = new Map<string, Omit<PlanGroup, 'letters' | 'records'>>();
  readonly #entries = new Map<string, Entry>();
  #letters = 0;

  /** @param topicOf full name of the topic of an event. */
  constructor(topicOf: (event: TranslatedEvent) => string) {
    this.#topicOf = topicOf;
  }

  add(placed: PlacedLetter, attempt: Attempt): void {
    this.#letters += 1;
    const { eventId, firstFailedAt } = placed.letter;
    const present = this.#entries.get(eventId);
    const group = this.#groupOf(placed, attempt);
    if (present !== undefined && (writing.has(present.outcome) || !writing.has(group.outcome))) return;
    const { outcome, today, ...alike } = group;
    const groupKey = JSON.stringify([outcome, today?.reason, today?.fieldPath, alike]);
    if (!this.#groups.has(groupKey)) this.#groups.set(groupKey, group);
    const records = attempt.kind === 'events' ? attempt.events.length : attempt.kind === 'record' ? 1 : 0;
    this.#entries.set(eventId, { place: placeOf(placed), failedAtMs: firstFailedAt, groupKey, outcome, records });
  }

  /** Forgets all but the latest `count` callbacks and records. */
  keepLatest(count: number): void {
    const latestFirst = [...this.#entries].toSorted(([, a], [, b]) => b.failedAtMs - a.failedAtMs);
    for (const [eventId] of latestFirst.slice(count)) this.#entries.delete(eventId);
    this.#letters = Math.min(this.#letters, this.#entries.size);
  }

  /** How many different callbacks and records they are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Dead letters beyond the first of an `eventId`. */
  get repeated(): number {
    return this.#letters - this.#entries.size;
  }

  /** How many stay dead letters, whole or in part. */
  get staying(): number {
    return this.#count((outcome) => !settling.has(outcome));
  }

  /** How many something is written for. */
  get writing(): number {
    return this.#count((outcome) => writing.has(outcome));
  }

  /** Whether this dead letter is the one of its `eventId` that something is written for. */
  takes(placed: PlacedLetter): boolean {
    const entry = this.#entries.get(placed.letter.eventId);
    return entry !== undefined && entry.place === placeOf(placed) && writing.has(entry.outcome);
  }

  /** The largest first. */
  get groups(): readonly PlanGroup[] {
    const byGroup = Map.groupBy(this.#entries.values(), ({ groupKey }) => groupKey);
    return Array.from(byGroup, ([key, entries]) => {
      const group = this.#groups.get(key);
      if (group === undefined) throw new Error('an entry without a group');
      return { ...group, letters: entries.length, records: entries.reduce((sum, { records }) => sum + records, 0) };
    }).toSorted((a, b) => b.letters - a.letters);
  }

  #count(isCounted: (outcome: PlanGroup['outcome']) => boolean): number {
    return [...this.#entries.values()].filter(({ outcome }) => isCounted(outcome)).length;
  }

  #groupOf({ letter }: PlacedLetter, attempt: Attempt): Omit<PlanGroup, 'letters' | 'records'> {
    const { service, reason, command } = letter;
    const group = { service, reason, command, topics: [], today: null, why: null };
    switch (attempt.kind) {
      case 'events': {
        const topics = [...new Set(attempt.events.map((event) => this.#topicOf(event)))].toSorted();
        const { stays } = attempt;
        return stays === undefined
          ? { ...group, outcome: 'event', topics }
          : { ...group, outcome: 'partly', topics, today: stays };
      }
      case 'record':
        return { ...group, outcome: 'record', topics: [attempt.record.topic] };
      case 'stays':
        return { ...group, outcome: 'stays', today: attempt.stays };
      default:
        return { ...group, outcome: attempt.kind, why: attempt.why };
    }
  }
}
