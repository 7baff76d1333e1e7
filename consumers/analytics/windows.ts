import type { ContentVerdict, Rollup } from '../../schemas/generated/events.ts';

/** Length of a window. */
export const windowMs = 60_000;

export interface WindowSettings {
  /** How long after its end a window stays open. */
  readonly graceMs: number;
  /** How often the numbers of open windows are given out. */
  readonly emitMs: number;
}

type Row = Pick<Rollup, 'sdkAppId' | 'scene' | 'label' | 'suggestion' | 'result'> & {
  verdicts: number;
  isDirty: boolean;
  /** Offset up to which it was counted when it was given out last; -1 before. */
  throughOffset: bigint;
};

interface Window {
  readonly startMs: number;
  readonly rows: Map<string, Row>;
  /** Offset of its first verdict: where a restart must begin while the window is open. */
  readonly firstOffset: bigint;
}

/** A window that has been given out as complete. */
interface ClosedWindow {
  readonly rows: Map<string, Row>;
  /** Offset of the first late verdict that has not been given out: where a restart must begin until it has. */
  firstLateOffset: bigint | undefined;
}

/** How far behind the newest window a closed one is remembered, so that late verdicts can be added to it. */
const rememberedMs = 6 * 60 * 60_000;

/**
 * Counts the verdicts of one partition in windows of a minute by `receivedAt`. Numbers are given out as they are so far, so a
 * later row replaces an earlier one; after a restart from `resumeOffset` with the rows that were given out, they are the same.
 */
export class Windows {
  readonly #partition: number;
  readonly #settings: WindowSettings;
  readonly #open = new Map<number, Window>();
  readonly #closed = new Map<number, ClosedWindow>();
  #throughOffset = -1n;
  #newestStartMs = Number.NEGATIVE_INFINITY;
  #lastEmitMs = 0;

  constructor(partition: number, settings: WindowSettings) {
    this.#partition = partition;
    this.#settings = settings;
  }

  /** Takes back a row that was given out before a restart; open windows are counted anew. */
  restore(rollup: Rollup): void {
    if (!rollup.isComplete) return;
    const closed = this.#closed.get(rollup.windowStart) ?? { rows: new Map(), firstLateOffset: undefined };
    const throughOffset = BigInt(rollup.throughOffset);
    const { sdkAppId, scene, label, suggestion, result, verdicts } = rollup;
    const row = { sdkAppId, scene, label, suggestion, result, verdicts, isDirty: false, throughOffset };
    closed.rows.set(rowKey(rollup), row);
    this.#closed.set(rollup.windowStart, closed);
  }

  /**
   * Counts a verdict. `repeated` for one that was in its row when that was given out as complete; other rows of the window may
   * not have become durable with it.
   */
  add(verdict: ContentVerdict, offset: bigint): 'counted' | 'late' | 'repeated' {
    const startMs = Math.floor(verdict.receivedAt / windowMs) * windowMs;
    if (offset > this.#throughOffset) this.#throughOffset = offset;
    if (startMs > this.#newestStartMs) this.#newestStartMs = startMs;
    const closed = this.#closed.get(startMs);
    if (closed !== undefined) {
      if (offset <= (closed.rows.get(rowKey(verdict))?.throughOffset ?? -1n)) return 'repeated';
      closed.firstLateOffset ??= offset;
      count(closed.rows, verdict);
      return 'late';
    }
    const window = this.#open.get(startMs) ?? { startMs, rows: new Map(), firstOffset: offset };
    this.#open.set(startMs, window);
    count(window.rows, verdict);
    return 'counted';
  }

  /** The rows to write at `nowMs`: of windows that are over for good, of late verdicts, and now and then of open windows. */
  due(nowMs: number): readonly Rollup[] {
    const rows: Rollup[] = [];
    const isTime = nowMs - this.#lastEmitMs >= this.#settings.emitMs;
    if (isTime) this.#lastEmitMs = nowMs;
    for (const window of this.#open.values()) {
      if (nowMs >= window.startMs + windowMs + this.#settings.graceMs) {
        for (const row of window.rows.values()) row.isDirty = true;
        rows.push(...this.#given(window.startMs, window.rows, true, nowMs));
        this.#open.delete(window.startMs);
        this.#closed.set(window.startMs, { rows: window.rows, firstLateOffset: undefined });
      } else if (isTime) {
        rows.push(...this.#given(window.startMs, window.rows, false, nowMs));
      }
    }
    for (const [startMs, closed] of this.#closed) {
      rows.push(...this.#given(startMs, closed.rows, true, nowMs));
      closed.firstLateOffset = undefined;
      if (startMs < this.#newestStartMs - rememberedMs) this.#closed.delete(startMs);
    }
    return rows;
  }

  /** Where to begin after a restart; `undefined` when nothing is open and no late verdict waits. */
  get resumeOffset(): bigint | undefined {
    let first: bigint | undefined;
    const offsets = [
      ...Array.from(this.#open.values(), ({ firstOffset }) => firstOffset),
      ...Array.from(this.#closed.values(), ({ firstLateOffset }) => firstLateOffset),
    ];
    for (const offset of offsets) if (offset !== undefined && (first === undefined || offset < first)) first = offset;
    return first;
  }

  #given(startMs: number, rows: ReadonlyMap<string, Row>, isComplete: boolean, nowMs: number): readonly Rollup[] {
    const dirty = Array.from(rows.values()).filter((row) => row.isDirty);
    return dirty.map((row) => {
      row.isDirty = false;
      row.throughOffset = this.#throughOffset;
      const { sdkAppId, scene, label, suggestion, result, verdicts } = row;
      return {
        sdkAppId,
        windowStart: startMs,
        windowMs,
        scene,
        label,
        suggestion,
        result,
        inputPartition: this.#partition,
        verdicts,
        throughOffset: Number(this.#throughOffset),
        isComplete,
        updatedAt: nowMs,
      };
    });
  }
}

function count(rows: Map<string, Row>, verdict: ContentVerdict): void {
  const key = rowKey(verdict);
  const row = rows.get(key);
  if (row === undefined) {
    const { sdkAppId, scene, label, suggestion, result } = verdict;
    rows.set(key, { sdkAppId, scene, label, suggestion, result, verdicts: 1, isDirty: true, throughOffset: -1n });
  } else {
    row.verdicts += 1;
    row.isDirty = true;
  }
}

type Dimensions = Pick<Rollup, 'sdkAppId' | 'scene' | 'label' | 'suggestion' | 'result'>;

function rowKey({ sdkAppId, scene, label, suggestion, result }: Dimensions): string {
  return JSON.stringify([sdkAppId, scene, label, suggestion, result]);
}

/** Key of a row on its topic: the app, the window, the partition that was counted, and everything that is counted by. */
export function rollupKey(rollup: Rollup): string {
  const { sdkAppId, windowStart, windowMs: length, inputPartition, scene, label, suggestion, result } = rollup;
  return `${sdkAppId}/${JSON.stringify([windowStart, length, inputPartition, scene, label, suggestion, result])}`;
}
