import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeProject } from '../../dev/docker/backend.ts';
import { containersOf, engineAnswers, engineNote } from '../support/engine.ts';
import { allEnded } from '../support/processes.ts';
import { makeTestHome } from '../support/test-home.ts';
import { paste, startUp, upEnvironment, verdictsSeen } from '../support/up.ts';

let home: string;
let remove: () => void;
let env: Record<string, string>;
beforeEach(async () => {
  ({ home, remove } = makeTestHome());
  env = await upEnvironment(home, '');
});
afterEach(() => remove());

describe.skipIf(!engineAnswers)(`imwatch up where Docker answers${engineNote}`, () => {
  it('runs Kafka in containers by itself, leaves none behind, and has its events at the next start', async () => {
    const first = await startUp(env);
    expect(first.command.output).toContain('in containers, home');
    expect(containersOf(composeProject(home))).toHaveLength(2);
    expect(await paste(first.curl)).toMatchObject({ ActionStatus: 'OK' });
    first.command.child.kill('SIGINT');
    expect(await first.command.end()).toBe(0);
    expect(containersOf(composeProject(home))).toEqual([]);

    const second = await startUp(env);
    expect(await verdictsSeen(env)).toMatchObject([{ offset: 0, value: { fromAccount: 'jared' } }]);
    second.command.child.kill('SIGKILL');
    await allEnded(second.family);
    expect(containersOf(composeProject(home))).toEqual([]);
  });
});
