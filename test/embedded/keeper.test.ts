import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireBroker } from '../../dev/broker.ts';
import { runningBroker, takeLease } from '../../dev/keeper/lease.ts';
import { readKeeperFile } from '../../dev/keeper/protocol.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { recordSchemas } from '../../schemas/records.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { allEnded, familyOf, sendSignal, stillRunning } from '../support/processes.ts';
import { makeTestHome } from '../support/test-home.ts';

let home: string;
let remove: () => void;
beforeEach(() => {
  ({ home, remove } = makeTestHome());
});
afterEach(() => remove());

function lease(signal = new AbortController().signal) {
  return takeLease({ home, kind: 'embedded', env: processEnvironment(), onProgress: () => undefined, signal });
}

/** The keeper of the home and its Java processes. */
function keeperFamily(): readonly number[] {
  const keeper = readKeeperFile(home);
  if (keeper === undefined) throw new Error('no keeper runs');
  return familyOf(keeper.pid);
}

/** A process that takes a lease and keeps it until it is killed. */
async function anotherHolder() {
  const holder = fork(join(import.meta.dirname, '../support/lease-holder.ts'), [home], { execArgv: [] });
  await once(holder, 'message');
  return holder;
}

function registryAt(registryUrl: string) {
  const none = { registryUsername: undefined, registryPassword: undefined, registrySslCa: undefined };
  return createSchemaRegistry({ registryUrl, ...none });
}

describe.skipIf(noEmbedded !== undefined)(`the embedded broker and registry${skipNote}`, () => {
  it('keep addresses and schema ids over a restart, and give new schemas new ids', async () => {
    const first = await lease();
    const registry = registryAt(first.registryUrl);
    const ids = [
      await registry.register('a-value', recordSchemas.ContentVerdict, 'FULL_TRANSITIVE'),
      await registry.register('b-value', recordSchemas.DeadLetter, 'FULL_TRANSITIVE'),
    ];
    await first.release();

    const second = await lease();
    expect(second.brokers).toBe(first.brokers);
    const again = registryAt(second.registryUrl);
    expect(await again.idOf('a-value', recordSchemas.ContentVerdict)).toBe(ids[0]);
    expect(await again.idOf('b-value', recordSchemas.DeadLetter)).toBe(ids[1]);
    expect(await again.compatibilityOf('a-value')).toBe('FULL_TRANSITIVE');
    const next = await again.register('c-value', recordSchemas.UnknownCallback, 'FULL_TRANSITIVE');
    expect(ids).not.toContain(next);
    await second.release();
  });

  it('are shared by all who want them, and end with the last, also when each is killed', async () => {
    const [holder, other] = [await anotherHolder(), await anotherHolder()];
    const family = keeperFamily();
    expect(family.length).toBeGreaterThanOrEqual(3);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect((await runningBroker(home))?.kind).toBe('embedded');
    expect(stillRunning(family)).toEqual(family);
    other.kill('SIGKILL');
    await allEnded(family);
    expect(await runningBroker(home)).toBeUndefined();
  });

  it('end when the process that started them is killed while they start', async () => {
    const holder = fork(join(import.meta.dirname, '../support/lease-holder.ts'), [home], { execArgv: [] });
    await expect.poll(() => readKeeperFile(home)?.children.length ?? 0, { timeout: 30_000 }).toBeGreaterThan(0);
    const family = keeperFamily();
    holder.kill('SIGKILL');
    await allEnded(family);
  });

  it('are ended by those who hold a lease when the keeper itself is killed, and start clean afterwards', async () => {
    const first = await lease();
    const family = keeperFamily();
    const lost = first.lost.catch((error: Error) => error.message);
    sendSignal(family[0], 'SIGKILL');
    expect(await lost).toContain('The keeper of');
    await allEnded(family);
    await (await lease()).release();
  });

  it('are ended by the next start when keeper and holders are killed at the same moment', async () => {
    const holder = await anotherHolder();
    const [keeper = 0, ...java] = keeperFamily();
    sendSignal(holder.pid, 'SIGSTOP');
    sendSignal(keeper, 'SIGKILL');
    sendSignal(holder.pid, 'SIGKILL');
    await allEnded([keeper, holder.pid ?? 0]);
    expect(stillRunning(java)).toEqual(java);
    const next = await lease();
    expect(stillRunning(java)).toEqual([]);
    await next.release();
  });

  it('can be taken again at once, also while they stop', async () => {
    for (let round = 0; round < 3; round += 1) {
      const first = await lease();
      const released = first.release();
      const second = await lease();
      await released;
      await second.release();
    }
    expect(readKeeperFile(home)).toBeUndefined();
  });

  it('are given up while they start', async () => {
    const giveUp = new AbortController();
    const taken = lease(giveUp.signal);
    taken.catch(() => undefined);
    await expect.poll(() => readKeeperFile(home)?.children.length ?? 0, { timeout: 30_000 }).toBeGreaterThan(1);
    const java = readKeeperFile(home)?.children ?? [];
    giveUp.abort(new Error('Ctrl-C'));
    await expect(taken).rejects.toThrow('Ctrl-C');
    expect(stillRunning(java)).toEqual([]);
    await (await lease()).release();
  });

  it('that run in another way than the one forced are refused, with what to do', async () => {
    const first = await lease();
    const env = processEnvironment();
    const { signal } = new AbortController();
    const other = acquireBroker({ home, kind: 'docker', env, onProgress: () => undefined, signal });
    await expect(other).rejects.toThrow(
      `IMWATCH_BROKER is docker, but the broker of ${home} runs as Java processes already (embedded).`,
    );
    await first.release();
  });
});
