import { randomBytes } from 'node:crypto';
import { request } from 'undici';
import { describe, expect, inject, it } from 'vitest';
import type { RecordSchema } from '../../schemas/records.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import type { Compatibility } from '../../schemas/topics.ts';
import { sample, schemaChanges } from '../support/schema-changes.ts';

const registryUrl = inject('cluster')['SCHEMA_REGISTRY_URL'] ?? '';
const registry = createSchemaRegistry({
  registryUrl,
  registryUsername: undefined,
  registryPassword: undefined,
  registrySslCa: undefined,
});

/** What the registry says of `to` after `sample`, without registering it. */
async function verdictOf(to: RecordSchema, level: Compatibility): Promise<'takes' | 'refuses'> {
  const subject = `test-${randomBytes(4).toString('hex')}-value`;
  await registry.register(subject, sample, level);
  const { statusCode, body } = await request(`${registryUrl}/compatibility/subjects/${subject}/versions/latest`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(to) }),
  });
  const answer = (await body.json()) as { is_compatible?: boolean };
  // A text that is no schema is refused with a status of its own.
  if (statusCode === 422) return 'refuses';
  expect(statusCode).toBe(200);
  return answer.is_compatible === true ? 'takes' : 'refuses';
}

describe('the registry says of a change of a schema what the gate says, or takes more', () => {
  it.each(schemaChanges)('$what', async ({ to, gate, registry: differing }) => {
    expect({
      full: await verdictOf(to, 'FULL_TRANSITIVE'),
      backward: await verdictOf(to, 'BACKWARD_TRANSITIVE'),
    }).toEqual({ ...gate, ...differing });
  });
});
