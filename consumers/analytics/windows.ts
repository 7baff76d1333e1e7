import type { ContentVerdict, Rollup, WindowRow } from '../../schemas/generated/events.ts';
import type { State } from '../runtime/state/state-store.ts';

/** What is counted by, beside the window. */
export const dimensions = ['sdkAppId', 'scene', 'label', 'suggestion', 'result'] as const;

/** What is looked at of a verdict. */
export type CountedVerdict = Pick<ContentVerdict, 'receivedAt' | (typeof dimensions)[number]>;

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

/**
 * What became of a verdict. `late`: its window had been given out as complete. `too late`: nobody knows any more what its window had, so it is
 * left as it was given out.
 */
export type HowCounted = 'counted' | 'late' | 'too late';

/** A row that is counted on, and its key in the state. */
interface Counting {
  readonly stateKey: string;
  row: WindowRow;
}

/** The rows of one window by what they are counted by. */
interface Window {
  readonly rows: Map<string, Counting>;
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
      window.rows.set(rowKey(row), { stateKey: stateKey(row), row });
      window.isComplete ||= row.isComplete;
    }
  }

  /** Counts a verdict, of an offset behind the one before. */
  add(verdict: CountedVerdict, offset: number): HowCounted {
    this.#throughOffset = offset;
    const windowStart = Math.floor(verdict.receivedAt / windowMs) * windowMs;
    if (!this.#windows.has(windowStart) && !isRemembered(windowStart, this.#newestStartMs)) return 'too late';
    const window = this.#windowAt(windowStart);
    const { isComplete } = window;
    const counting = this.#countingOf(window, verdict, windowStart);
    this.#keep(counting, { ...counting.row, verdicts: counting.row.verdicts + 1 });
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
        for (const counting of window.rows.values()) {
          const { verdicts, given } = counting.row;
          if (isClosing || verdicts !== given) rollups.push(this.#give(window, counting, nowMs));
        }
      }
      if (window.isComplete && !isRemembered(startMs, this.#newestStartMs)) this.#forget(startMs, window);
    }
    return rollups;
  }

  #give({ isComplete }: Window, counting: Counting, nowMs: number): Rollup {
    const { sdkAppId, windowStart, scene, label, suggestion, result, verdicts } = counting.row;
    this.#keep(counting, { ...counting.row, given: verdicts, isComplete });
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
    const known = this.#windows.get(startMs);
    if (known !== undefined) return known;
    const window = { rows: new Map(), isComplete: false };
    this.#windows.set(startMs, window);
    this.#newestStartMs = Math.max(this.#newestStartMs, startMs);
    return window;
  }

  #countingOf({ rows, isComplete }: Window, verdict: CountedVerdict, windowStart: number): Counting {
    const key = rowKey(verdict);
    const known = rows.get(key);
    if (known !== undefined) return known;
    const { sdkAppId, scene, label, suggestion, result } = verdict;
    const row = { sdkAppId, windowStart, scene, label, suggestion, result, verdicts: 0, given: 0, isComplete };
    const counting = { stateKey: stateKey(row), row };
    rows.set(key, counting);
    return counting;
  }

  #keep(counting: Counting, row: WindowRow): void {
    counting.row = row;
    this.#options.state.set(counting.stateKey, row);
  }

  #forget(startMs: number, { rows }: Window): void {
    this.#windows.delete(startMs);
    for (const { stateKey: key } of rows.values()) this.#options.state.delete(key);
  }
}

type Dimensions = Pick<WindowRow, (typeof dimensions)[number]>;

/** Tells rows of a window apart, in memory, at less cost than JSON. */
function rowKey({ sdkAppId, scene, label, suggestion, result }: Dimensions): string {
  return `${sdkAppId} ${lengthOf(scene)} ${scene} ${lengthOf(label)} ${label} ${suggestion} ${result}`;
}

/** By which texts that stand one behind the other are told apart. */
function lengthOf(text: string | null): number {
  return text === null ? -1 : text.length;
}

function stateKey({
  windowStart,
  sdkAppId,
  scene,
  label,
  suggestion,
  result,
}: Dimensions & Pick<WindowRow, 'windowStart'>): string {
  return `${windowStart}/${JSON.stringify([sdkAppId, scene, label, suggestion, result])}`;
}

/** Key of a row on its topic: the app, the window, the partition that was counted, and everything that is counted by. */
export function rollupKey(rollup: Rollup): string {
  const { sdkAppId, windowStart, windowMs: length, inputPartition, scene, label, suggestion, result } = rollup;
  return `${sdkAppId}/${JSON.stringify([windowStart, length, inputPartition, scene, label, suggestion, result])}`;
}
