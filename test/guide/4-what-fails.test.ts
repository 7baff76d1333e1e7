import { expect, it } from 'vitest';
import { aPlace } from './place.ts';

/**
 * Chapter 4. What fails is of two kinds. Kafka or the registry away passes with time, and is waited for: order matters more than speed, and
 * nothing is skipped. An event that cannot be handled, however often it is tried, becomes a dead letter in the same transaction in which the
 * partition goes on behind it.
 */
it('what cannot be read becomes a dead letter, whole and with the reason, and the next event is handled', async () => {
  const place = await aPlace();
  await place.send({
    topic: place.verdicts,
    partition: 0,
    key: Buffer.from('a key'),
    value: Buffer.from('{"no":"avro"}'),
    timestampMs: Date.now(),
  });
  await place.sendVerdicts('jared', 1);
  const penalties = await place.startPenalties();
  await penalties.handled(2);
  const [letter] = await place.deadLetters(1);
  expect(letter?.value).toMatchObject({
    service: 'penalties',
    reason: 'RECORD_NOT_READABLE',
    sourceTopic: place.verdicts,
  });
  expect(letter?.value.body?.toString()).toBe('{"no":"avro"}');
  expect((await place.ledger(1))[0]?.value).toMatchObject({ account: 'jared', strikes: 1 });
  await penalties.stop();
  await place.end();
});
