import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeTestFolder } from '../support/test-folder.ts';
import { aPlace } from './place.ts';

/**
 * Chapter 3. Each change of the state goes to a compacted topic with the transaction that it belongs to. A copy of it lies in a file of
 * SQLite, one a partition, so that a start need not read the whole topic. The copy may be lost, damaged or old: that costs time, and
 * nothing else.
 */
it.each([
  ['is there', () => undefined],
  ['is lost', (folder: string) => rmSync(folder, { recursive: true })],
  ['is damaged', (folder: string) => damage(folder)],
] as const)('a consumer knows the same when its copy %s', async (_what, happens) => {
  const place = await aPlace();
  const folder = makeTestFolder();
  const env = { CONSUMER_STATE_DIR: folder };
  await place.sendVerdicts('jared', 2);
  const first = await place.startPenalties(env);
  await first.handled(2);
  await first.stop();

  happens(folder);
  await place.sendVerdicts('jared', 1);
  const second = await place.startPenalties(env);
  expect((await place.ledger(4)).at(-1)?.value).toMatchObject({ kind: 'DECISION', strikes: 3 });
  await second.stop();
  await place.end();
});

function damage(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sqlite'));
  expect(files).toHaveLength(3);
  for (const name of files) writeFileSync(join(folder, name), 'no database any more');
}
