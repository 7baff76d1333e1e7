import type { ContentVerdict, Rollup, WindowRow } from '../../schemas/generated/events.ts';
import type { State } from '../runtime/state/state-store.ts';

/** Length of a window. */
export const windowMs = 60_000;

export interface WindowSettings {
  /** How long after its end a window stays open. */
  readonly graceMs: number;
  /** How often the numbers of open windows are given out. */
  readonly emitMs: number;
}

export interface WindowsOptions extends WindowSettings {
  readonly partition: number;
  /** Offset of the first verdict that will be added. */
  readonly nextOffset: number;
  /** What has been counted so far. */
  readonly state: State<WindowRow>;
}

/** The rows of one window by what they are counted by. */
interface Window {
  readonly rows: Map<string, WindowRow>;
  /** Whether it has been given out as complete. */
  isComplete: boolean;
}

/** How far behind the newest window one that is complete is remembered, so that late verdicts can be added to it. */
const rememberedMs = 6 * 60 * 60_000;

/** Whether a window is still counted when the newest verdict is of `newestMs`. */
export function isRemembered(startMs: number, newestMs: number): boolean {
  return startMs >= newestMs - rememberedMs;
}

/**
 * Counts the verdicts of one partition in windows of a minute by `receivedAt`. Numbers are given out as they are so far, so a
 * later row replaces an earlier one.
 */
export class Windows {
  readonly #options: WindowsOptions;
  readonly #windows = new Map<number, Window>();
  #throughOffset: number;
  #newestStartMs = Number.NEGATIVE_INFINITY;
  #lastEmitMs = 0;

  constructor(options: WindowsOptions) {
    this.#options = options;
    this.#throughOffset = options.nextOffset - 1;
    for (const [, row] of options.state.entries()) {
      const window = this.#windowAt(row.windowStart);
      window.rows.set(rowKey(row), row);
      window.isComplete ||= row.isComplete;
    }
  }

  /**
   * Counts a verdict, of an offset behind the one before. `late`: its window had been given out as complete. `too late`: nobody knows any more
   * what its window had, so it is left as it was given out.
   */
  add(verdict: ContentVerdict, offset: number): 'counted' | 'late' | 'too late' {
    this.#throughOffset = offset;
    const windowStart = Math.floor(verdict.receivedAt / windowMs) * windowMs;
    if (!this.#windows.has(windowStart) && !isRemembered(windowStart, this.#newestStartMs)) return 'too late';
    const window = this.#windowAt(windowStart);
    const row = window.rows.get(rowKey(verdict));
    const { sdkAppId, scene, label, suggestion, result } = verdict;
    const { isComplete } = window;
    this.#keep(
      window,
      row === undefined
        ? { sdkAppId, windowStart, scene, label, suggestion, result, verdicts: 1, given: 0, isComplete }
        : { ...row, verdicts: row.verdicts + 1 },
    );
    return isComplete ? 'late' : 'counted';
  }

  /** The rows to write at `nowMs`: of windows that are over for good, of late verdicts, and now and then of open windows. */
  due(nowMs: number): readonly Rollup[] {
    const { emitMs, graceMs } = this.#options;
    const rollups: Rollup[] = [];
    const isTime = nowMs - this.#lastEmitMs >= emitMs;
    if (isTime) this.#lastEmitMs = nowMs;
    for (const [startMs, window] of this.#windows) {
      const isClosing = !window.isComplete && nowMs >= startMs + windowMs + graceMs;
      if (isClosing) window.isComplete = true;
      if (window.isComplete || isTime) {
        for (const row of window.rows.values()) {
          if (isClosing || row.verdicts !== row.given) rollups.push(this.#give(window, row, nowMs));
        }
      }
      if (window.isComplete && !isRemembered(startMs, this.#newestStartMs)) this.#forget(startMs, window);
    }
    return rollups;
  }

  #give(window: Window, row: WindowRow, nowMs: number): Rollup {
    const { isComplete } = window;
    this.#keep(window, { ...row, given: row.verdicts, isComplete });
    const { sdkAppId, windowStart, scene, label, suggestion, result, verdicts } = row;
    return {
      sdkAppId,
      windowStart,
      windowMs,
      scene,
      label,
      suggestion,
      result,
      inputPartition: this.#options.partition,
      verdicts,
      throughOffset: this.#throughOffset,
      isComplete,
      updatedAt: nowMs,
    };
  }

  #windowAt(startMs: number): Window {
    const window = this.#windows.get(startMs) ?? { rows: new Map(), isComplete: false };
    this.#windows.set(startMs, window);
    if (startMs > this.#newestStartMs) this.#newestStartMs = startMs;
    return window;
  }

  #keep(window: Window, row: WindowRow): void {
    window.rows.set(rowKey(row), row);
    this.#options.state.set(stateKey(row), row);
  }

  #forget(startMs: number, { rows }: Window): void {
    this.#windows.delete(startMs);
    for (const row of rows.values()) this.#options.state.delete(stateKey(row));
  }
}

type Dimensions = Pick<WindowRow, 'sdkAppId' | 'scene' | 'label' | 'suggestion' | 'result'>;

function rowKey({ sdkAppId, scene, label, suggestion, result }: Dimensions): string {
  return JSON.stringify([sdkAppId, scene, label, suggestion, result]);
}

function stateKey(row: WindowRow): string {
  return `${row.windowStart}/${rowKey(row)}`;
}

/** Key of a row on its topic: the app, the window, the partition that was counted, and everything that is counted by. */
export function rollupKey(rollup: Rollup): string {
  const { sdkAppId, windowStart, windowMs: length, inputPartition, scene, label, suggestion, result } = rollup;
  return `${sdkAppId}/${JSON.stringify([windowStart, length, inputPartition, scene, label, suggestion, result])}`;
}
