import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPython } from './python.ts';

const run = promisify(execFile);

/** Decodes records with Python's fastavro, given the address of the registry. */
export type IndependentReader = (records: readonly Buffer[], registryUrl: string) => Promise<readonly unknown[]>;

/** The reader, or why there is none. */
export async function findIndependentReader(): Promise<IndependentReader | { readonly missing: string }> {
  const python = await findPython();
  if ('missing' in python) return python;
  const { env } = python;
  return async (records, registryUrl) => {
    const reading = run('python3', [join(import.meta.dirname, 'read.py'), registryUrl], { env });
    reading.child.stdin?.end(records.map((record) => `${record.toString('base64')}\n`).join(''));
    const { stdout } = await reading;
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  };
}
