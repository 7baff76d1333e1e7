import { processEnvironment } from '../../lib/config/sources.ts';

const { FAULT_SECONDS, FAULT_RATE } = processEnvironment();

/** How long a sender sends in each scenario; `npm run test:faults` takes 60 s. */
export const seconds = numberOf('FAULT_SECONDS', FAULT_SECONDS, 6);

/** Callbacks a second; `npm run test:faults` takes 2,000. */
export const perSecond = numberOf('FAULT_RATE', FAULT_RATE, 400);

/** Whether somebody waits long enough to want to see how far it is. */
export const isLong = seconds >= 20;

/** How long a sender sends at a quarter of the rate before that. */
export const warmUpMs = Math.min(5_000, seconds * 200);

/** When the fault begins, after the sender has reached its rate. */
export const beforeFaultMs = (seconds * 1000) / 6;

/** How long it lasts: a third of the time, and longer than what ingest gives Kafka to answer. */
export const faultMs = Math.max(3_000, (seconds * 1000) / 3);

function numberOf(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} is "${text}", expected a number above 0`);
  return value;
}

/** For a scenario as a whole: starting, sending, recovering, reading. */
export const testTimeoutMs = seconds * 1000 + 240_000;
