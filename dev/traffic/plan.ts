import { AppTraffic, spike } from './app-traffic.ts';
import type { Delivery } from './delivery.ts';
import { inOrder } from './order.ts';

/** What is sent: verdicts alone, or everything that users do. */
export const mixes = ['verdicts', 'all'] as const;
export type Mix = (typeof mixes)[number];

export interface TrafficOptions {
  /** The same traffic for the same seed. */
  readonly seed: number;
  /** May be infinite. */
  readonly durationMs: number;
  /** Callbacks a second, beside those of the abuser and the spike and beside redeliveries. */
  readonly perSecond: number;
  /** The apps that share them evenly; abuser and spike are in the first. */
  readonly sdkAppIds: readonly number[];
  /** Time in the bodies at the begin, in epoch milliseconds. */
  readonly startMs: number;
  readonly mix?: Mix;
  /** Label of the spike, 'none' for no spike. */
  readonly spikeLabel?: string;
  /** How long a day of more and less traffic takes; not given: as much at any time. */
  readonly dayMs?: number;
}

/** The label that stands for no spike. */
export const noSpike = 'none';

/**
 * Callbacks as apps of some size get them, in order of time and one after the other, so that a plan of days takes no more
 * memory than one of a minute: users with habits of whom few write much, one abuser, a spike of many senders in the middle, and
 * a few deliveries twice. Bodies are those of Tencent's documents.
 */
export function planTraffic(options: TrafficOptions): Generator<Delivery> {
  const { seed, sdkAppIds, perSecond, mix = 'verdicts', spikeLabel = spike.label, dayMs } = options;
  return inOrder(
    sdkAppIds.map((sdkAppId, index) =>
      new AppTraffic({
        ...options,
        sdkAppId,
        seed: seed + index,
        perSecond: perSecond / sdkAppIds.length,
        mix,
        dayMs,
        spikeLabel: index === 0 && spikeLabel !== noSpike ? spikeLabel : undefined,
        hasAbuser: index === 0,
      }).deliveries(),
    ),
  );
}
