import { Counter } from 'prom-client';
import type { Received } from '../../consumers/runtime/processor.ts';
import type { ContentVerdict } from '../../schemas/generated/events.ts';
import { receivedAtMs, sdkAppId, verdictCommand } from './callbacks.ts';

/** A blocked group message of "jared" with label Ad, received at `receivedAtMs`, but for what is given. */
export function aVerdict(more: Partial<ContentVerdict> = {}): ContentVerdict {
  return {
    eventId: 'e-1',
    sdkAppId,
    command: verdictCommand,
    receivedAt: receivedAtMs,
    occurredAt: null,
    clientIp: null,
    optPlatform: null,
    requestId: null,
    requestTime: null,
    extras: null,
    scene: 'Group',
    fromAccount: 'jared',
    contactType: 'GROUP',
    toAccount: null,
    toGroupId: '@TGS#1',
    contentType: 'Text',
    textContent: [],
    fileUrl: null,
    msgId: null,
    result: 'BLOCKED',
    suggestion: 'BLOCK',
    suggestionRaw: 'Block',
    label: 'Ad',
    subLabel: null,
    subLabelDescription: null,
    libraryName: null,
    keywords: [],
    moderationRequestId: null,
    cloudCustomData: null,
    isRestApi: null,
    ...more,
  };
}

/** A verdict as a processor gets it. */
export function received(offset: number, more: Partial<ContentVerdict> = {}): Received<ContentVerdict> {
  return { value: aVerdict(more), offset };
}

/** A counter that stands in no registry. */
export function aCounter<L extends string>(...labelNames: L[]): Counter<L> {
  return new Counter({ name: 'a_counter', help: 'Counts', labelNames, registers: [] });
}

/** What a counter says, by the values of its labels; the key of a counter without labels is empty. */
export async function countsOf(counter: Counter<string>): Promise<Readonly<Record<string, number>>> {
  const { values } = await counter.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}
