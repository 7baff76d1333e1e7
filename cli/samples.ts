import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { nearNames } from './near-names.ts';

const folder = join(import.meta.dirname, '../test/vectors/callbacks');

export const defaultSample = 'ContentCallback.ResultNotify';

/** Names of the sample bodies that come with imwatch. */
export function sampleNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted();
}

/** The body of a sample, speaking for `sdkAppId`. @throws {UserError} when there is none of that name. */
export function readSample(name: string, sdkAppId: number): string {
  const path = join(folder, `${name}.json`);
  if (!existsSync(path)) {
    const near = nearNames(name, sampleNames(), 5);
    const hint = near.length === 0 ? '' : `, did you mean ${near.join(', ')}?`;
    throw new UserError(`No sample "${name}"${hint === '' ? '.' : hint} imwatch send --samples lists them all`);
  }
  return readFileSync(path, 'utf8').replace(/("SdkAppId"\s*:\s*)\d+/, `$1${sdkAppId}`);
}

/** The command that a sample's name begins with: the first two of its parts. */
export function commandOfSample(name: string): string {
  return name.split('.').slice(0, 2).join('.');
}
