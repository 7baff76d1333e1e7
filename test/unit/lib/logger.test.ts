import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noPrlimit, prlimitNote, withFileSizeLimit } from '../../support/file-size-limit.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

describe.skipIf(noPrlimit !== undefined)(`a log on a disk that is full${prlimitNote}`, () => {
  it.each(['json', 'pretty'])(
    'neither stops nor holds the process, and loses little: %s',
    (format) => {
      const path = join(makeTestFolder(), 'log');
      const file = openSync(path, 'w');
      const script = join(import.meta.dirname, '../../support/logging-process.ts');
      const [program = '', ...args] = [...withFileSizeLimit(1_000), process.execPath, script, format];
      const { status, signal } = spawnSync(program, args, { stdio: ['ignore', file, 'inherit'], timeout: 20_000 });
      closeSync(file);
      expect({ status, signal }).toEqual({ status: 0, signal: null });
      const lines = readFileSync(path, 'utf8').trim().split('\n');
      expect(lines).toHaveLength(102);
      expect(lines.at(-1)).toContain('the end');
    },
    30_000,
  );
});
