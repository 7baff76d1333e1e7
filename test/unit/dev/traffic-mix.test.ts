import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abuser } from '../../../dev/traffic/app-traffic.ts';
import type { Delivery } from '../../../dev/traffic/delivery.ts';
import { noSpike, planTraffic, type TrafficOptions } from '../../../dev/traffic/plan.ts';
import { commandOf, commands } from '../../../ingest/tencent/commands.ts';
import type { ContentVerdict, MessageEvent, UserEvent } from '../../../schemas/generated/events.ts';
import { eventOf, eventsOf, sdkAppId, receivedAtMs as startMs, vector } from '../../support/callbacks.ts';

const minuteMs = 60_000;
const options: TrafficOptions = {
  seed: 1,
  durationMs: minuteMs,
  perSecond: 50,
  sdkAppIds: [sdkAppId],
  startMs,
  mix: 'all',
};
const plain: TrafficOptions = { ...options, spikeLabel: noSpike };

/** What a plan of everything may hold, by the shares that it has of all callbacks. */
const tenMinutes = Array.from(planTraffic({ ...plain, durationMs: 10 * minuteMs }));
const firsts = tenMinutes.filter(({ isRedelivery }) => !isRedelivery);
const counted = new Map<string, number>();
for (const { command } of firsts) counted.set(command, (counted.get(command) ?? 0) + 1);

function shareOf(...names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (counted.get(name) ?? 0), 0) / firsts.length;
}

function deliveriesOf(command: string): readonly Delivery[] {
  return firsts.filter((delivery) => delivery.command === command);
}

/** Where a body's values stand and of which type they are; list items without their numbers. */
function shapeOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => shapeOf(item, `${path}/*`));
  if (typeof value !== 'object' || value === null) return [`${path} ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([name, child]) => shapeOf(child, `${path}/${name}`));
}

/** The events of a delivery; each must be one of the command's family. */
function typedEvents({ command, body, query = {} }: Delivery) {
  return eventsOf({ command, body, query }).map((event) => {
    expect(event.record, body).toBe(commandOf(command).family.record);
    return event;
  });
}

/** What no field of the event holds: nothing, but the type of the two EventTimes that Tencent writes as texts. */
function leftOver({ command, body }: Delivery): string | null {
  if (!['Group.CallbackAfterSendMsg', 'Group.CallbackAfterReadReceipt'].includes(command)) return null;
  const { EventTime } = JSON.parse(body) as { EventTime: string };
  return JSON.stringify({ EventTime });
}

describe('the traffic of everything that users do', () => {
  it('has only commands that ingest knows, whose bodies become events of their family with nothing left over, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), (seed) => {
        for (const delivery of planTraffic({ ...options, seed, durationMs: 10_000 })) {
          expect(commands.has(delivery.command), delivery.command).toBe(true);
          const events = typedEvents(delivery);
          expect(events.length).toBeGreaterThan(0);
          for (const { value } of events) expect(value, delivery.body).toMatchObject({ extras: leftOver(delivery) });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has bodies in the shape of the samples: every value stands where one of the same type stands there', () => {
    for (const command of counted.keys()) {
      const documented = new Set(shapeOf(JSON.parse(vector(command))));
      if (command === 'ContentCallback.ResultNotify') documented.add('/ContactItem/ToGroupId string');
      const found = new Set(deliveriesOf(command).flatMap(({ body }) => shapeOf(JSON.parse(body))));
      expect(
        Array.from(found).filter((place) => !documented.has(place)),
        command,
      ).toEqual([]);
    }
  });

  it('is as much as was asked for, beside the abuser', () => {
    const ofOthers = firsts.filter(({ body }) => !body.includes(abuser));
    expect(ofOthers.length / 600).toBeGreaterThan(48.5);
    expect(ofOthers.length / 600).toBeLessThan(51.5);
  });

  it('has these shares of callbacks', () => {
    const sentShare = shareOf(
      'C2C.CallbackAfterSendMsg',
      'Group.CallbackAfterSendMsg',
      'Group.CallbackSendMsgException',
    );
    expect(sentShare).toBeCloseTo(shareOf('ContentCallback.ResultNotify'), 3);
    expect(sentShare).toBeCloseTo(0.315, 1);
    expect(shareOf('C2C.CallbackAfterSendMsg') / sentShare).toBeCloseTo(0.4, 1);
    expect(shareOf('State.StateChange')).toBeCloseTo(0.11, 2);
    expect(shareOf('C2C.CallbackAfterMsgReport', 'Group.CallbackAfterReadReceipt')).toBeCloseTo(0.103, 2);
    expect(shareOf('Push.OfflinePush')).toBeCloseTo(0.055, 2);
    expect(shareOf('Group.CallbackAfterNewMemberJoin')).toBeCloseTo(0.027, 2);
    expect(shareOf('Group.CallbackAfterMemberExit')).toBeCloseTo(0.02, 2);
    expect(shareOf('Sns.CallbackFriendAdd')).toBeCloseTo(0.027, 2);
    expect(shareOf('C2C.CallbackAfterMsgWithDraw', 'Group.CallbackAfterRecallMsg')).toBeCloseTo(0.02, 2);
    expect(shareOf('Profile.CallbackPortraitSet')).toBeCloseTo(0.007, 2);
    expect(Array.from(counted.keys()).toSorted()).toEqual([
      'C2C.CallbackAfterMsgReport',
      'C2C.CallbackAfterMsgWithDraw',
      'C2C.CallbackAfterSendMsg',
      'ContentCallback.ResultNotify',
      'Group.CallbackAfterMemberExit',
      'Group.CallbackAfterNewMemberJoin',
      'Group.CallbackAfterReadReceipt',
      'Group.CallbackAfterRecallMsg',
      'Group.CallbackAfterSendMsg',
      'Group.CallbackSendMsgException',
      'Profile.CallbackPortraitSet',
      'Push.OfflinePush',
      'Sns.CallbackFriendAdd',
      'State.StateChange',
    ]);
  });

  it('is in order of time', () => {
    const times = tenMinutes.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('has a verdict 50 ms to 400 ms after each message, about the same text of the same sender', () => {
    const verdicts = new Map(
      deliveriesOf('ContentCallback.ResultNotify').map((delivery) => {
        const { value } = eventOf('ContentVerdict', delivery);
        return [value.textContent[0], { atMs: delivery.atMs, value }] as const;
      }),
    );
    const messages = firsts.filter(({ command }) => /SendMsg(Exception)?$/.test(command));
    expect(messages.length).toBe(verdicts.size);
    for (const message of messages) {
      const { value } = eventOf<'MessageEvent'>('MessageEvent', message) as { value: MessageEvent };
      const verdict = verdicts.get(value.msgBody[0]?.text ?? '');
      const delayMs = (verdict?.atMs ?? 0) - message.atMs;
      expect(delayMs).toBeGreaterThanOrEqual(50);
      expect(delayMs).toBeLessThan(400);
      const said = verdict?.value as ContentVerdict;
      expect(said.fromAccount).toBe(value.fromAccount);
      expect([said.toGroupId, said.toAccount]).toEqual([value.groupId, value.toAccount]);
      if (value.msgKey !== null) expect(said.msgId).toBe(value.msgKey);
      const wasKeptBack = value.sendMsgResult === 80_001 || value.errorCode === 80_001;
      expect(wasKeptBack, message.body).toBe(said.result === 'BLOCKED');
    }
  });

  it('lets users log in and out in turn', () => {
    const last = new Map<string, boolean>();
    for (const delivery of deliveriesOf('State.StateChange')) {
      const { value } = eventOf<'UserEvent'>('UserEvent', delivery) as { value: UserEvent };
      const isLogin = value.action === 'Login';
      const account = value.toAccount ?? '';
      expect(last.get(account)).not.toBe(isLogin);
      last.set(account, isLogin);
    }
    expect(last.size).toBeGreaterThan(300);
  });

  it('lets only those join who are outside, and only those leave who are inside', () => {
    const isInside = new Map<string, boolean>();
    for (const { command, body } of firsts) {
      if (!/MemberExit|NewMemberJoin/.test(command)) continue;
      const isJoin = command.endsWith('NewMemberJoin');
      const { GroupId, Operator_Account } = JSON.parse(body) as { GroupId: string; Operator_Account: string };
      const membership = `${GroupId} ${Operator_Account}`;
      expect(isInside.get(membership)).not.toBe(isJoin);
      isInside.set(membership, isJoin);
    }
    expect(isInside.size).toBeGreaterThan(300);
  });

  it('recalls, reads and pushes messages that were sent before', () => {
    const sent = new Set<string>();
    let later = 0;
    for (const { command, body } of firsts) {
      const { MsgKey, Events = [] } = JSON.parse(body) as { MsgKey?: string; Events?: { MsgKey?: string }[] };
      if (command === 'C2C.CallbackAfterSendMsg') sent.add(MsgKey ?? '');
      else {
        for (const key of [MsgKey, ...Events.map((event) => event.MsgKey)]) {
          if (key === undefined) continue;
          later += 1;
          expect(sent.has(key), body).toBe(true);
        }
      }
    }
    expect(later).toBeGreaterThan(100);
  });

  it('pushes in batches of at most ten', () => {
    const sizes = deliveriesOf('Push.OfflinePush').map((delivery) => typedEvents(delivery).length);
    expect(Math.max(...sizes)).toBe(10);
    expect(Math.min(...sizes)).toBe(1);
  });

  it('names client address and platform where Tencent does: not for verdicts and pushes', () => {
    for (const { command, query } of firsts) {
      const names = /^(ContentCallback|Push)\./.test(command) ? [] : ['ClientIP', 'OptPlatform'];
      expect(Object.keys(query ?? {}), command).toEqual(names);
    }
    const spellings = new Set(deliveriesOf('State.StateChange').map(({ query }) => query?.['OptPlatform']));
    expect(Array.from(spellings).toSorted()).toEqual(['Android', 'IOS', 'Web', 'Windows']);
  });

  it('delivers a few again, equal in every part but the time', () => {
    const again = tenMinutes.filter(({ isRedelivery }) => isRedelivery);
    expect(again.length / firsts.length).toBeCloseTo(0.03, 2);
    const commandsAgain = new Set(again.map(({ command }) => command));
    expect(commandsAgain.size).toBeGreaterThan(8);
    const known = new Map(firsts.map((delivery) => [delivery.body, delivery]));
    for (const { atMs: _, isRedelivery: __, ...rest } of again) expect(known.get(rest.body)).toMatchObject(rest);
  });
});

describe('several apps', () => {
  const second = sdkAppId + 1;
  const both = Array.from(planTraffic({ ...options, durationMs: 5 * minuteMs, sdkAppIds: [sdkAppId, second] }));
  const countOf = (id: number): number =>
    both.filter((delivery) => delivery.sdkAppId === id && !/abuser-1|spike-/.test(delivery.body)).length;

  it('share the traffic evenly, each with its id in the verdicts, together in order of time', () => {
    expect(countOf(sdkAppId) / countOf(second)).toBeCloseTo(1, 1);
    expect((countOf(sdkAppId) + countOf(second)) / 300 / 1.03).toBeCloseTo(50, -0.5);
    for (const { command, body, sdkAppId: id } of both) {
      if (command === 'ContentCallback.ResultNotify') expect(JSON.parse(body).SdkAppId).toBe(id);
    }
    const times = both.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('have one abuser and one spike between them', () => {
    const where = (who: RegExp) => new Set(both.filter(({ body }) => who.test(body)).map((each) => each.sdkAppId));
    expect(where(/abuser-1/)).toEqual(new Set([sdkAppId]));
    expect(where(/spike-/)).toEqual(new Set([sdkAppId]));
  });
});

describe('the spike', () => {
  const ofSpike = (spikeLabel: string): readonly Delivery[] =>
    Array.from(planTraffic({ ...options, spikeLabel, mix: 'verdicts' })).filter(({ body }) => body.includes('"spike-'));

  it('has the label that was asked for', () => {
    const labels = ofSpike('Polity').map((delivery) => eventOf('ContentVerdict', delivery).value.label);
    expect(new Set(labels)).toEqual(new Set(['Polity']));
  });

  it('is left out for none', () => {
    expect(ofSpike(noSpike)).toEqual([]);
  });

  it('grows with the traffic: a quarter of it', () => {
    const large = planTraffic({ ...options, perSecond: 400, mix: 'verdicts', durationMs: 10_000 });
    const count = Array.from(large).filter(
      ({ body, isRedelivery }) => !isRedelivery && body.includes('"spike-'),
    ).length;
    expect(count).toBe(2 * 100);
  });
});

describe('a day squeezed into the duration', () => {
  const day = Array.from(
    planTraffic({ ...plain, mix: 'verdicts', perSecond: 400, durationMs: 2 * minuteMs, dayMs: 2 * minuteMs }),
  ).filter(({ isRedelivery, body }) => !isRedelivery && !body.includes(abuser));
  const hourMs = (2 * minuteMs) / 24;
  const perHour = Array.from(
    { length: 24 },
    (_, hour) => day.filter(({ atMs }) => Math.floor(atMs / hourMs) === hour).length,
  );

  it('is in sum as much as was asked for', () => {
    expect(day.length / 120 / 400).toBeCloseTo(1, 1);
  });

  it('sleeps before dawn and is busiest in the evening', () => {
    expect(perHour.indexOf(Math.min(...perHour))).toBeGreaterThanOrEqual(3);
    expect(perHour.indexOf(Math.min(...perHour))).toBeLessThanOrEqual(5);
    expect([20, 21]).toContain(perHour.indexOf(Math.max(...perHour)));
    expect(Math.max(...perHour) / Math.min(...perHour)).toBeGreaterThan(8);
  });

  it('has other people at noon than at night', () => {
    const writersAt = (from: number, to: number) =>
      new Set(
        day
          .filter(({ atMs }) => atMs >= from * hourMs && atMs < to * hourMs)
          .map((delivery) => eventOf('ContentVerdict', delivery).value.fromAccount),
      );
    const [noon, evening] = [writersAt(10, 13), writersAt(20, 23)];
    const inBoth = Array.from(noon).filter((account) => evening.has(account)).length;
    expect(inBoth / Math.min(noon.size, evening.size)).toBeLessThan(0.7);
  });

  it('is even where no day was asked for', () => {
    const even = Array.from(planTraffic({ ...plain, mix: 'verdicts', perSecond: 400 }));
    const firstHalf = even.filter(({ atMs }) => atMs < minuteMs / 2).length;
    expect(firstHalf / even.length).toBeCloseTo(0.5, 1);
  });
});

describe('an endless plan', () => {
  it('is made one after the other: the first thousand are there at once', () => {
    const endless = planTraffic({ ...options, durationMs: Number.POSITIVE_INFINITY, perSecond: 500 });
    const first = Array.from(endless.take(1_000));
    expect(first).toHaveLength(1_000);
    expect(first.at(-1)?.atMs).toBeLessThan(4_000);
  });

  it('begins as a plan with an end does, which is therefore no list made before', () => {
    const oneDay = { ...plain, perSecond: 500, durationMs: 86_400_000 };
    const first = (durationMs: number) => Array.from(planTraffic({ ...oneDay, durationMs }).take(1_000));
    expect(first(oneDay.durationMs)).toEqual(first(Number.POSITIVE_INFINITY));
  });
});
