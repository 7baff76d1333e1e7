import { seededRandom } from './random.ts';

/** One delivery of a callback: when, counted from the begin, and its body. */
export interface Delivery {
  readonly atMs: number;
  readonly command: string;
  readonly body: string;
  /** True when the same body was delivered before, as Tencent does after a time-out. */
  readonly isRedelivery: boolean;
}

export interface TrafficOptions {
  /** The same traffic for the same seed. */
  readonly seed: number;
  readonly durationMs: number;
  /** Verdicts a second, beside those of the abuser and the spike. */
  readonly perSecond: number;
  readonly sdkAppId: number;
  /** Time in the bodies at the begin, in epoch milliseconds. */
  readonly startMs: number;
}

/** The one who goes on and on. */
export const abuser = 'abuser-1';

/** The label of the spike, and the number of accounts that it comes from. */
export const spike = { label: 'Ad', senders: 150 };

const command = 'ContentCallback.ResultNotify';
const users = 400;
const redeliveredShare = 0.03;
const abuserIntervalMs = 4_000;
/** The spike, as shares of the duration. */
const spikeBegin = 0.4;
const spikeEnd = 0.6;
const spikePerSecond = 25;

/** What a moderation engine says, and how often it does. */
const findings = [
  { share: 0.7, result: 0, suggestion: 'Pass', label: 'Normal', subLabel: '' },
  { share: 0.1, result: 1, suggestion: 'Block', label: 'Abuse', subLabel: '' },
  { share: 0.08, result: 0, suggestion: 'Review', label: 'Sexy', subLabel: 'InsinuationPorn' },
  { share: 0.05, result: 1, suggestion: 'Block', label: 'Porn', subLabel: '' },
  { share: 0.04, result: 1, suggestion: 'Block', label: 'Ad', subLabel: '' },
  { share: 0.03, result: 0, suggestion: 'Review', label: 'Polity', subLabel: '' },
] as const;

type Finding = (typeof findings)[number];

const abuse: Finding = findings[1];
const advertising: Finding = findings[4];

/**
 * Verdicts as an app of some size gets them, in order of time: users of whom few write much, one abuser, a spike of many
 * senders in the middle, and a few deliveries twice. Bodies are those of Tencent's documents.
 */
export function planTraffic({ seed, durationMs, perSecond, sdkAppId, startMs }: TrafficOptions): readonly Delivery[] {
  const random = seededRandom(seed);
  const deliveries: Delivery[] = [];
  const add = (atMs: number, sender: string, finding: Finding): void => {
    const number = deliveries.length;
    const body = JSON.stringify(bodyOf({ seed, number, sender, finding, sdkAppId, timeMs: startMs + atMs, random }));
    deliveries.push({ atMs, command, body, isRedelivery: false });
    if (random() < redeliveredShare) {
      deliveries.push({ atMs: atMs + 300 + 1_500 * random(), command, body, isRedelivery: true });
    }
  };
  for (let atMs = 0; atMs < durationMs; atMs += (-Math.log(1 - random()) * 1_000) / perSecond) {
    add(atMs, userOf(random()), findingOf(random()));
  }
  for (let atMs = abuserIntervalMs / 2; atMs < durationMs; atMs += abuserIntervalMs) add(atMs, abuser, abuse);
  for (let atMs = spikeBegin * durationMs; atMs < spikeEnd * durationMs; atMs += 1_000 / spikePerSecond) {
    add(atMs, `spike-${Math.floor(random() * spike.senders) + 1}`, advertising);
  }
  return deliveries.toSorted((a, b) => a.atMs - b.atMs);
}

/** A user; the square makes some of them write much more than others. */
function userOf(random: number): string {
  return `user-${Math.floor(random * random * users) + 1}`;
}

function findingOf(random: number): Finding {
  let rest = random;
  for (const finding of findings) {
    rest -= finding.share;
    if (rest < 0) return finding;
  }
  return findings[0];
}

interface BodyParts {
  readonly seed: number;
  readonly number: number;
  readonly sender: string;
  readonly finding: Finding;
  readonly sdkAppId: number;
  readonly timeMs: number;
  readonly random: () => number;
}

function bodyOf({ seed, number, sender, finding, sdkAppId, timeMs, random }: BodyParts): object {
  const { result, suggestion, label, subLabel } = finding;
  const isGroup = random() < 0.6;
  const contact = isGroup
    ? { ContactType: 2, ToGroupId: `@TGS#${Math.floor(random() * 50) + 1}` }
    : { ContactType: 1, To_Account: userOf(random()) };
  const sequence = Math.floor(random() * 2 ** 32);
  return {
    Scene: isGroup ? 'Group' : 'C2C',
    SdkAppId: sdkAppId,
    From_Account: sender,
    ContactItem: contact,
    ContentType: 'Text',
    TextContent: [`message ${number}`],
    MsgID: `${sequence}_${number}_${Math.floor(timeMs / 1000)}`,
    CtxcbResult: result,
    CtxcbRequestId: `simulated-${seed}-${Math.floor(timeMs)}-${number}`,
    CtxcbKeywords: result === 1 ? [label.toLowerCase()] : [],
    CtxcbSuggestion: suggestion,
    CtxcbLabel: label,
    ...(subLabel === '' ? {} : { CtxcbSubLabel: subLabel }),
  };
}
