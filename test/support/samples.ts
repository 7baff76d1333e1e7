import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vector } from './callbacks.ts';

export interface Sample {
  readonly name: string;
  readonly command: string;
  /** JSON text of the body. */
  readonly body: string;
}

/** Every body under test/vectors/callbacks. */
export const samples: readonly Sample[] = readdirSync(join(import.meta.dirname, '../vectors/callbacks'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .toSorted()
  .map((name) => ({ name, command: name.split('.').slice(0, 2).join('.'), body: vector(name) }));
