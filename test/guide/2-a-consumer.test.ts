import { expect, it } from 'vitest';
import { aPlace } from './place.ts';

/**
 * Chapter 2. The runtime brings events to processors, and what they give to Kafka: outputs, changes of the state, the ids of the events, and
 * how far the partition has come, all in one transaction. Either all of it is there, or nothing.
 */
it('a consumer handles each event once, also when it is started anew between two of them', async () => {
  const place = await aPlace();
  await place.sendVerdicts('jared', 2);
  const first = await place.startPenalties();
  await first.handled(2);
  await first.stop();

  // The second one begins behind the second verdict, and knows of two strikes.
  await place.sendVerdicts('jared', 1);
  const second = await place.startPenalties();
  const entries = (await place.ledger(4)).map(({ value }) => `${value.kind} ${value.strikes}`);
  expect(entries).toEqual(['STRIKE 1', 'STRIKE 2', 'STRIKE 3', 'DECISION 3']);
  await second.stop();
  await place.end();
});

it('an event that comes twice counts once: its id is known for a day', async () => {
  const place = await aPlace();
  const id = '00112233445566778899aabbccddeeff';
  await place.sendVerdicts('jared', 2, id);
  await place.sendVerdicts('other', 1);
  const penalties = await place.startPenalties();
  await penalties.handled(3);
  const entries = (await place.ledger(2)).map(({ value }) => `${value.account} ${value.strikes}`);
  expect(entries.toSorted()).toEqual(['jared 1', 'other 1']);
  expect((await penalties.metrics()).get('consumer_events_total{outcome="repeat"}')).toBe(1);
  await penalties.stop();
  await place.end();
});
