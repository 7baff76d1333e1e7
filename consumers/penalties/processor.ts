import type { Counter } from 'prom-client';
import type { Logger } from '../../lib/logger.ts';
import type { ContentVerdict, LedgerEntry } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { Outcome, PartitionProcessor, Received } from '../runtime/processor.ts';
import { type Policy, whyNoStrike } from './policy.ts';
import { Standing } from './standing.ts';

const forgetIntervalMs = 60_000;

export interface PenaltiesOptions {
  readonly policy: Policy;
  readonly entries: Counter<'kind'>;
  readonly repeats: Counter;
  readonly logger: Logger;
}

/** Decides about the users of one partition. */
export class PenaltiesProcessor implements PartitionProcessor<'ContentVerdict'> {
  readonly #options: PenaltiesOptions;
  readonly #standings = new Map<string, Standing>();
  #forgetAtMs = 0;
  /** Time of the newest verdict: strikes end by the time of verdicts, which may be long ago when there are many to catch up on. */
  #newestMs = 0;

  constructor(options: PenaltiesOptions) {
    this.#options = options;
  }

  /** Takes back an entry that was written before a restart. */
  restore(entry: LedgerEntry): void {
    this.#standingOf(userKey(entry.sdkAppId, entry.account)).fold(entry);
  }

  take({ value: verdict }: Received<'ContentVerdict'>): Outcome {
    const { policy, repeats } = this.#options;
    this.#newestMs = Math.max(this.#newestMs, verdict.receivedAt);
    const why = whyNoStrike(verdict, policy);
    if (why !== undefined || !hasSender(verdict)) return { kind: 'skip', why: why ?? 'it names no sender' };
    const key = userKey(verdict.sdkAppId, verdict.fromAccount);
    const standing = this.#standingOf(key);
    if (standing.hasStrike(verdict.eventId)) {
      repeats.inc();
      return { kind: 'skip', why: 'it is a strike already' };
    }
    const entries = standing.strike(verdict);
    for (const entry of entries) this.#tell(entry);
    return { kind: 'ok', outputs: entries.map((entry) => recordOf(key, entry)) };
  }

  tick(nowMs: number): readonly TopicRecord[] {
    if (nowMs < this.#forgetAtMs) return [];
    this.#forgetAtMs = nowMs + forgetIntervalMs;
    const atMs = Math.min(nowMs, this.#newestMs);
    for (const [key, standing] of this.#standings) if (standing.isEmpty(atMs)) this.#standings.delete(key);
    return [];
  }

  #standingOf(key: string): Standing {
    const standing = this.#standings.get(key) ?? new Standing(this.#options.policy);
    this.#standings.set(key, standing);
    return standing;
  }

  #tell({ kind, sdkAppId, account, action, eventIds, reason }: LedgerEntry): void {
    const { entries, logger } = this.#options;
    entries.inc({ kind });
    if (kind === 'DECISION') logger.info({ sdkAppId, account, action, eventIds, reason }, 'decision');
    else logger.info({ sdkAppId, account, eventIds, reason }, 'strike');
  }
}

function hasSender(verdict: ContentVerdict): verdict is ContentVerdict & { readonly fromAccount: string } {
  return verdict.fromAccount !== null;
}

/** The same as a verdict's key, so that a user's verdicts and ledger are on partitions of the same number. */
function userKey(sdkAppId: number, account: string): string {
  return `${sdkAppId}/${account}`;
}

function recordOf(key: string, entry: LedgerEntry): TopicRecord<'penalty.ledger'> {
  return { topic: 'penalty.ledger', key, value: entry, timestampMs: entry.at };
}
