import type { Counter } from 'prom-client';
import type { Logger } from '../../lib/logger.ts';
import type { Standing as KeptStanding, LedgerEntry } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { Outcome, PartitionProcessor, Received } from '../runtime/processor.ts';
import type { State } from '../runtime/state/state-store.ts';
import { type JudgedVerdict, type Policy, whyNoStrike } from './policy.ts';
import { Standing } from './standing.ts';

/** Users that are looked at in a second, whether something still counts against them. */
const usersLookedAt = 500;

export interface PenaltiesOptions {
  readonly policy: Policy;
  /** What counts against each user of the partition. */
  readonly state: State<KeptStanding>;
  readonly entries: Counter<'kind'>;
  readonly logger: Logger;
}

/** Decides about the users of one partition. */
export class PenaltiesProcessor implements PartitionProcessor<JudgedVerdict> {
  readonly #options: PenaltiesOptions;
  /** The user that was looked at last. */
  #lookedAt = '';
  /** Time of the newest verdict: strikes end by the time of verdicts, which may be long ago when there are many to catch up on. */
  #newestMs = 0;

  constructor(options: PenaltiesOptions) {
    this.#options = options;
  }

  take({ value: verdict }: Received<JudgedVerdict>): Outcome {
    const { policy, state } = this.#options;
    this.#newestMs = Math.max(this.#newestMs, verdict.receivedAt);
    const why = whyNoStrike(verdict, policy);
    if (why !== undefined || !hasSender(verdict)) return { kind: 'skip', why: why ?? 'it names no sender' };
    const key = userKey(verdict.sdkAppId, verdict.fromAccount);
    const standing = new Standing(policy, state.get(key));
    // A strike may count for longer than the runtime knows an event.
    if (standing.hasStrike(verdict.eventId)) return { kind: 'skip', why: 'it is a strike already' };
    const entries = standing.strike(verdict);
    state.set(key, standing.kept);
    for (const entry of entries) this.#tell(entry);
    return { kind: 'ok', outputs: entries.map((entry) => recordOf(key, entry)) };
  }

  /** Forgets users whose strikes are over, some at a time. */
  tick(nowMs: number): readonly TopicRecord[] {
    const { policy, state } = this.#options;
    const atMs = Math.min(nowMs, this.#newestMs);
    const page = state.page(this.#lookedAt, usersLookedAt);
    for (const [key, kept] of page) {
      if (kept !== undefined && new Standing(policy, kept).isEmpty(atMs)) state.delete(key);
    }
    this.#lookedAt = page.length < usersLookedAt ? '' : (page.at(-1)?.[0] ?? '');
    return [];
  }

  #tell({ kind, sdkAppId, account, action, eventIds, reason }: LedgerEntry): void {
    const { entries, logger } = this.#options;
    entries.inc({ kind });
    if (kind === 'DECISION') logger.info({ sdkAppId, account, action, eventIds, reason }, 'decision');
    else logger.info({ sdkAppId, account, eventIds, reason }, 'strike');
  }
}

function hasSender(verdict: JudgedVerdict): verdict is JudgedVerdict & { readonly fromAccount: string } {
  return verdict.fromAccount !== null;
}

/** The same as a verdict's key, so that a user's verdicts, ledger and state are on partitions of the same number. */
function userKey(sdkAppId: number, account: string): string {
  return `${sdkAppId}/${account}`;
}

function recordOf(key: string, entry: LedgerEntry): TopicRecord<'penalty.ledger'> {
  return { topic: 'penalty.ledger', key, value: entry, timestampMs: entry.at };
}
