import { expect, it } from 'vitest';
import { checkProcesses } from '../../../cli/ingest-checks.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const gibibyte = 1024 ** 3;
const config = { workers: 2, drainMs: 2_000, spoolBytes: gibibyte, spoolFolder: '/spool' };
const detail = 'up to 2.0 GiB in /spool, which has 2.5 GiB free, 2000 ms of drain at a stop';

it('doctor says how many processes there are, and what they may put on the disk together', () => {
  expect(checkProcesses(config, 2, 2.5 * gibibyte)).toEqual({ status: 'ok', detail: `2 processes, ${detail}` });
});

it('doctor warns of more processes than cores, and of a disk that they could fill', () => {
  expect(checkProcesses(config, 1, gibibyte)).toEqual({
    status: 'warning',
    detail:
      '2 processes, up to 2.0 GiB in /spool, which has 1.0 GiB free, 2000 ms of drain at a stop; more processes than the 1 cores of this machine; less room on the disk than INGEST_SPOOL_BYTES of each process',
  });
});

it('doctor looks at the disk of a folder that is not there yet', () => {
  const spoolFolder = `${makeTestFolder()}/not/yet`;
  expect(checkProcesses({ ...config, spoolBytes: 1, spoolFolder }, 2).status).toBe('ok');
});
