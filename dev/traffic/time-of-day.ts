const hoursADay = 24;
const hourMs = 3_600_000;

/** How busy a chat app is at each full hour: nearly asleep before dawn, a hump at noon, the peak in the evening. */
const busyness = [
  0.55, 0.35, 0.22, 0.15, 0.12, 0.15, 0.25, 0.5, 0.8, 0.95, 1, 1.1, 1.3, 1.2, 1, 1, 1.05, 1.15, 1.3, 1.55, 1.8, 1.95,
  1.75, 1.15,
] as const;

const mean = busyness.reduce((sum, value) => sum + value, 0) / hoursADay;

/** Traffic at `hour` (0 to 24, with fractions) as a multiple of the day's mean, between full hours on a straight line. */
export function rateAtHour(hour: number): number {
  const full = Math.floor(hour) % hoursADay;
  const [from = 0, to = 0] = [busyness[full], busyness[(full + 1) % hoursADay]];
  return (from + (to - from) * (hour - Math.floor(hour))) / mean;
}

/** The largest value of `rateAtHour`. */
export const peakRate = Math.max(...busyness) / mean;

/** The hour of day, UTC, at a time in epoch milliseconds. */
export function hourOfDay(timeMs: number): number {
  return (timeMs / hourMs) % hoursADay;
}

/** The hour of day when a day takes `dayMs` and begins at 0. */
export function hourOfSqueezedDay(atMs: number, dayMs: number): number {
  return ((atMs / dayMs) % 1) * hoursADay;
}

/** How far two hours of the day are from each other, at most 12. */
export function hoursBetween(a: number, b: number): number {
  const distance = Math.abs(a - b) % hoursADay;
  return Math.min(distance, hoursADay - distance);
}
