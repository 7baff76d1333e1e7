import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';

const text = ['null', 'string'];
const named = (name: string, type: unknown): object => ({ name, type });

/** The fields of the benchmark's body as they stand, for those that know nothing of imwatch's schemas. */
const verdict = {
  type: 'record',
  name: 'Verdict',
  namespace: 'imwatch.bench',
  fields: [
    ...['Scene', 'From_Account', 'ContentType', 'MsgID', 'CtxcbRequestId', 'CtxcbSuggestion', 'CtxcbLabel'].map(
      (name) => named(name, text),
    ),
    ...['CtxcbSubLabel', 'CtxcbSubLabelDesc', 'CtxcbLibName', 'CloudCustomData'].map((name) => named(name, text)),
    named('SdkAppId', 'long'),
    named('CtxcbResult', 'int'),
    named('TextContent', { type: 'array', items: 'string' }),
    named('CtxcbKeywords', { type: 'array', items: 'string' }),
    named('ContactItem', {
      type: 'record',
      name: 'ContactItem',
      fields: [named('ContactType', 'int'), named('To_Account', text)],
    }),
  ],
};

/** Registers the schema of the body for the values of `topic`; the registry can encode with the id that it resolves with. */
export async function registerVerdict(
  registryUrl: string,
  topic: string,
): Promise<{ readonly registry: SchemaRegistry; readonly id: number }> {
  const registry = new SchemaRegistry({ host: registryUrl });
  const schema = { type: SchemaType.AVRO, schema: JSON.stringify(verdict) } as const;
  const { id } = await registry.register(schema, { subject: `${topic}-value` });
  return { registry, id };
}
