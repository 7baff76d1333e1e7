import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serviceNodeFlags } from '../../../lib/node-flags.ts';

it('the image starts Node with what services are started with elsewhere', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../../Dockerfile'), 'utf8');
  expect(dockerfile).toContain(`\nENV NODE_OPTIONS=${serviceNodeFlags.join(' ')}\n`);
});
