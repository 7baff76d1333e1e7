import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceNames } from '../../cli/services.ts';
import { CliProcess } from '../support/cli.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { allEnded, familyOf, running, sendSignal } from '../support/processes.ts';
import { makeTestHome } from '../support/test-home.ts';
import { upEnvironment } from '../support/up.ts';

let home: string;
let remove: () => void;
beforeEach(() => {
  ({ home, remove } = makeTestHome());
});
afterEach(() => remove());

describe.skipIf(noEmbedded !== undefined)(`imwatch demo${skipNote}`, () => {
  it('balances although every service is killed once, and leaves no process', async () => {
    const demo = new CliProcess(['demo', '--seconds', '40'], await upEnvironment(home, 'embedded'));
    await demo.line(/^Sending the verdicts/);
    const family = familyOf(demo.child.pid ?? 0);
    for (const name of serviceNames) {
      const [pid] = running(family, new RegExp(`start\\.js ${name}$`));
      sendSignal(pid, 'SIGKILL');
      await demo.line(new RegExp(`^${name} ended \\(SIGKILL\\), starting it again`));
    }
    expect(await demo.end()).toBe(0);
    expect(demo.output).toMatch(/yes {2}every callback is on the topic: (\d+) of \1 different ones/);
    expect(demo.output).toMatch(/yes {2}every callback is counted once: (\d+) of \1/);
    expect(demo.output).toMatch(/yes {2}every blocked callback is a strike: (\d+) of \1/);
    expect(demo.output).toMatch(/yes {2}an alert fired and is resolved/);
    expect(demo.output).not.toContain('NO ');
    await allEnded(family);
  });
});
