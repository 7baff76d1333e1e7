import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeProject } from '../../dev/docker/backend.ts';
import { readKeeperFile } from '../../dev/keeper/protocol.ts';
import { CliProcess } from '../support/cli.ts';
import { containersOf, engineAnswers, engineNote } from '../support/engine.ts';
import { allEnded, sendSignal } from '../support/processes.ts';
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
    expect(await verdictsSeen(env, 1)).toMatchObject([{ fromAccount: 'jared' }]);
    second.command.child.kill('SIGKILL');
    await allEnded(second.family);
    expect(containersOf(composeProject(home))).toEqual([]);
  });

  it('removes the containers when their keeper is killed, and when Ctrl-C comes before they are ready', async () => {
    const first = await startUp(env);
    sendSignal(readKeeperFile(home)?.pid, 'SIGKILL');
    expect(await first.command.end()).toBe(1);
    expect(first.command.errors).toContain('The keeper of');
    expect(containersOf(composeProject(home))).toEqual([]);

    const second = new CliProcess(['up'], env);
    await expect.poll(() => containersOf(composeProject(home)).length, { timeout: 60_000 }).toBeGreaterThan(0);
    second.child.kill('SIGINT');
    expect(await second.end()).toBe(0);
    expect(containersOf(composeProject(home))).toEqual([]);
  });
});
