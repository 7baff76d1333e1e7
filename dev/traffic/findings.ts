import { oneByShare, type Random } from './random.ts';

/** What a moderation engine says about a message. */
export interface Finding {
  /** 1: the message was kept back. */
  readonly result: 0 | 1;
  readonly suggestion: 'Pass' | 'Review' | 'Block';
  readonly label: string;
  readonly subLabel?: string;
}

/** What it says, and how often it does. */
const findings = [
  { share: 0.7, result: 0, suggestion: 'Pass', label: 'Normal' },
  { share: 0.1, result: 1, suggestion: 'Block', label: 'Abuse' },
  { share: 0.08, result: 0, suggestion: 'Review', label: 'Sexy', subLabel: 'InsinuationPorn' },
  { share: 0.05, result: 1, suggestion: 'Block', label: 'Porn' },
  { share: 0.04, result: 1, suggestion: 'Block', label: 'Ad' },
  { share: 0.03, result: 0, suggestion: 'Review', label: 'Polity' },
] as const satisfies readonly (Finding & { readonly share: number })[];

/** What the engine finds in a message of somebody. */
export function someFinding(random: Random): Finding {
  return oneByShare(random, findings);
}

/** A message that was kept back for `label`. */
export function blockedFor(label: string): Finding {
  return { result: 1, suggestion: 'Block', label };
}
