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
};

interface Window {
  readonly startMs: number;
  readonly rows: Map<string, Row>;
  /** Offset of its first verdict: where a restart must begin while the window is open. */
  readonly firstOffset: bigint;
}

/** A window that has been given out as complete: what it held, and up to which offset. */
interface ClosedWindow {
  readonly rows: Map<string, Row>;
  throughOffset: bigint;
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
    const closed = this.#closed.get(rollup.windowStart) ?? { rows: new Map(), throughOffset: -1n };
    const throughOffset = BigInt(rollup.throughOffset);
    const { sdkAppId, scene, label, suggestion, result, verdicts } = rollup;
    closed.rows.set(rowKey(rollup), { sdkAppId, scene, label, suggestion, result, verdicts, isDirty: false });
    if (throughOffset > closed.throughOffset) closed.throughOffset = throughOffset;
    this.#closed.set(rollup.windowStart, closed);
  }

  /** Counts a verdict. `repeated` for one that was in a window when that was given out as complete. */
  add(verdict: ContentVerdict, offset: bigint): 'counted' | 'late' | 'repeated' {
    const startMs = Math.floor(verdict.receivedAt / windowMs) * windowMs;
    if (offset > this.#throughOffset) this.#throughOffset = offset;
    if (startMs > this.#newestStartMs) this.#newestStartMs = startMs;
    const closed = this.#closed.get(startMs);
    if (closed !== undefined) {
      if (offset <= closed.throughOffset) return 'repeated';
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
        this.#closed.set(window.startMs, { rows: window.rows, throughOffset: this.#throughOffset });
      } else if (isTime) {
        rows.push(...this.#given(window.startMs, window.rows, false, nowMs));
      }
    }
    for (const [startMs, closed] of this.#closed) {
      const corrected = this.#given(startMs, closed.rows, true, nowMs);
      if (corrected.length > 0) closed.throughOffset = this.#throughOffset;
      rows.push(...corrected);
      if (startMs < this.#newestStartMs - rememberedMs) this.#closed.delete(startMs);
    }
    return rows;
  }

  /** Where to begin after a restart; `undefined` when nothing is open. */
  get resumeOffset(): bigint | undefined {
    let first: bigint | undefined;
    for (const { firstOffset } of this.#open.values()) {
      if (first === undefined || firstOffset < first) first = firstOffset;
    }
    return first;
  }

  #given(startMs: number, rows: ReadonlyMap<string, Row>, isComplete: boolean, nowMs: number): readonly Rollup[] {
    const dirty = Array.from(rows.values()).filter((row) => row.isDirty);
    return dirty.map((row) => {
      row.isDirty = false;
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
    rows.set(key, { sdkAppId, scene, label, suggestion, result, verdicts: 1, isDirty: true });
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
