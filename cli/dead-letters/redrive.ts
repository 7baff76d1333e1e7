import { EventTooLargeError } from '../../ingest/publish/prepared.ts';
import { asError } from '../../lib/errors.ts';
import { RecordRefusedError } from '../../lib/kafka/record-refused.ts';
import type { DeadLetter } from '../../schemas/generated/events.ts';
import type { Attempt } from './attempt.ts';
import { type PlacedLetter, placeOf } from './letter.ts';
import type { Pace } from './pace.ts';

/** An attempt by which something is written. */
export type Writable = Extract<Attempt, { readonly kind: 'events' | 'record' }>;

export interface RedriverOptions {
  readonly attempt: (letter: DeadLetter) => Promise<Attempt>;
  /**
   * Resolves when all of it is durable, to the full names of the topics, one a record.
   *
   * @throws {EventTooLargeError | RecordRefusedError} when it never will be; any other error ends the redrive.
   */
  readonly write: (attempt: Writable) => Promise<readonly string[]>;
  readonly pace: Pace;
  /** Ended by the user, or by the first failure of Kafka. */
  readonly stop: AbortController;
  readonly onProgress: (done: number) => void;
}

/** A dead letter that stays although something was to be written for it. */
export interface Kept {
  readonly eventId: string;
  readonly detail: string;
}

/** Writes in flight at a time; their order within a partition is that of the dead letters. */
const maxInFlight = 64;

/** Writes what dead letters have become, at a pace, and counts what is durable. Stops between two of them. */
export class Redriver {
  readonly #options: RedriverOptions;
  readonly #taken = new Set<string>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #written = new Map<string, number>();
  readonly #kept: Kept[] = [];
  #done = 0;
  #failure: Error | undefined;

  constructor(options: RedriverOptions) {
    this.#options = options;
  }

  /** Takes the next one when its turn has come; one that is read again is not taken again. */
  async take(placed: PlacedLetter): Promise<void> {
    const { attempt: tryAgain, pace, stop } = this.#options;
    const place = placeOf(placed);
    if (stop.signal.aborted || this.#taken.has(place)) return;
    this.#taken.add(place);
    const attempt = await tryAgain(placed.letter);
    const { eventId } = placed.letter;
    if (attempt.kind !== 'events' && attempt.kind !== 'record') {
      // It was writable when the plan was made, so something has changed since.
      this.#kept.push({ eventId, detail: attempt.kind === 'stays' ? attempt.stays.detail : attempt.why });
      return;
    }
    await pace.turn(attempt.kind === 'events' ? attempt.events.length : 1, stop.signal);
    if (stop.signal.aborted) return;
    const writing = this.#write(eventId, attempt).finally(() => this.#inFlight.delete(writing));
    this.#inFlight.add(writing);
    if (this.#inFlight.size >= maxInFlight) await Promise.race(this.#inFlight);
  }

  /** Waits for what is in flight. `failure` is why it could not go on. */
  async end(): Promise<{
    readonly done: number;
    /** Durable records by topic. */
    readonly written: Readonly<Record<string, number>>;
    readonly kept: readonly Kept[];
    readonly failure: Error | undefined;
  }> {
    await Promise.all(this.#inFlight);
    return { done: this.#done, written: Object.fromEntries(this.#written), kept: this.#kept, failure: this.#failure };
  }

  async #write(eventId: string, attempt: Writable): Promise<void> {
    const { write, stop, onProgress } = this.#options;
    try {
      for (const topic of await write(attempt)) this.#written.set(topic, (this.#written.get(topic) ?? 0) + 1);
      this.#done += 1;
      onProgress(this.#done);
    } catch (error) {
      if (error instanceof EventTooLargeError || error instanceof RecordRefusedError) {
        this.#kept.push({ eventId, detail: error.message });
        return;
      }
      this.#failure ??= asError(error);
      stop.abort();
    }
  }
}
