import { randomBytes } from 'node:crypto';
import { request } from 'undici';
import { describe, expect, inject, it } from 'vitest';
import { avroType, recordSchemas } from '../../schemas/records.ts';
import { createSchemaRegistry, RegistryUnavailableError, SchemaRefusedError } from '../../schemas/registry.ts';
import { unusedPort } from '../support/pipeline.ts';

const registryUrl = inject('cluster')['SCHEMA_REGISTRY_URL'] ?? '';
const values = { registryUrl, registryUsername: undefined, registryPassword: undefined, registrySslCa: undefined };
const registry = createSchemaRegistry(values);
const verdict = recordSchemas.ContentVerdict;

function aSubject(): string {
  return `test-${randomBytes(4).toString('hex')}-value`;
}

function withFields(change: (fields: typeof verdict.fields) => typeof verdict.fields): typeof verdict {
  return { ...verdict, fields: change(verdict.fields) };
}

describe('SchemaRegistry', () => {
  it('registers a schema with its compatibility, and gives the same id ever after', async () => {
    const subject = aSubject();
    expect(await registry.idOf(subject, verdict)).toBeUndefined();
    const id = await registry.register(subject, verdict, 'FULL_TRANSITIVE');
    expect(await registry.register(subject, verdict, 'FULL_TRANSITIVE')).toBe(id);
    expect(await registry.idOf(subject, verdict)).toBe(id);
    expect(await registry.compatibilityOf(subject)).toBe('FULL_TRANSITIVE');
  });

  it('holds the schema whole, docs and logical types too, and gives its type by id', async () => {
    const id = await registry.register(aSubject(), verdict, 'FULL_TRANSITIVE');
    const { body } = await request(`${registryUrl}/schemas/ids/${id}`);
    const { schema } = (await body.json()) as { schema: string };
    expect(JSON.parse(schema)).toEqual(verdict);
    expect((await registry.writerType(id)).fingerprint()).toEqual(avroType(verdict).fingerprint());
  });

  it('takes a new field with a default', async () => {
    const subject = aSubject();
    const id = await registry.register(subject, verdict, 'FULL_TRANSITIVE');
    const grown = withFields((fields) => [
      ...fields,
      { name: 'added', type: ['null', 'string'], default: null, doc: 'added' },
    ]);
    expect(await registry.register(subject, grown, 'FULL_TRANSITIVE')).not.toBe(id);
  });

  it.each([
    [
      'a new field without a default',
      withFields((fields) => [...fields, { name: 'added', type: 'string', doc: 'added' }]),
    ],
    [
      'a field of another type',
      withFields((fields) => fields.map((each) => (each.name === 'sdkAppId' ? { ...each, type: 'string' } : each))),
    ],
    ['a removed field without a default', withFields((fields) => fields.filter((each) => each.name !== 'eventId'))],
  ])('refuses %s', async (_what, broken) => {
    const subject = aSubject();
    await registry.register(subject, verdict, 'FULL_TRANSITIVE');
    await expect(registry.register(subject, broken, 'FULL_TRANSITIVE')).rejects.toThrow(SchemaRefusedError);
  });

  it('gives a subject without a level its level, also when someone registered before it was set', async () => {
    const subject = aSubject();
    const schema = JSON.stringify(verdict);
    await request(`${registryUrl}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema }),
    });
    await registry.register(subject, verdict, 'FULL_TRANSITIVE');
    expect(await registry.compatibilityOf(subject)).toBe('FULL_TRANSITIVE');
  });

  it('respects a level that someone chose', async () => {
    const subject = aSubject();
    await registry.register(subject, verdict, 'BACKWARD_TRANSITIVE');
    await registry.register(subject, verdict, 'FULL_TRANSITIVE');
    expect(await registry.compatibilityOf(subject)).toBe('BACKWARD_TRANSITIVE');
  });

  it('says that it is away when it is, and that an id is unknown when it is', async () => {
    const away = createSchemaRegistry({ ...values, registryUrl: `http://127.0.0.1:${await unusedPort()}` });
    await expect(away.register(aSubject(), verdict, 'FULL_TRANSITIVE')).rejects.toThrow(RegistryUnavailableError);
    await expect(away.writerType(1)).rejects.toThrow(RegistryUnavailableError);
    await expect(registry.writerType(2_000_000_000)).rejects.toThrow(SchemaRefusedError);
  });
});
