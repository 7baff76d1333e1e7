// Runs write_golden.py where fastavro is: `npm run golden -- [names] [--check]`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findPython } from './python.ts';

const python = await findPython();
if ('missing' in python) {
  process.stderr.write(`Golden bytes need Python's fastavro: ${python.missing}\n`);
  process.exitCode = 1;
} else {
  const script = join(import.meta.dirname, 'write_golden.py');
  const { status } = spawnSync('python3', [script, ...process.argv.slice(2)], { env: python.env, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
