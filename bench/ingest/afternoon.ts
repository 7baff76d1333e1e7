// What an afternoon gives: Fastify, one `send` of kafkajs a request, the registry's client encodes. No signature, no spool.
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import Fastify from 'fastify';
import kafkajs from 'kafkajs';

const { Kafka, logLevel, Partitioners } = kafkajs;
const [port, brokers = '', registryUrl = '', topic = ''] = process.argv.slice(2);

const schema = {
  type: 'record',
  name: 'Verdict',
  namespace: 'afternoon',
  fields: [
    ...['Scene', 'From_Account', 'ContentType', 'MsgID', 'CtxcbRequestId', 'CtxcbSuggestion', 'CtxcbLabel'].map(
      (name) => ({
        name,
        type: ['null', 'string'],
        default: null,
      }),
    ),
    { name: 'TextContent', type: { type: 'array', items: 'string' } },
    { name: 'CtxcbResult', type: 'int' },
  ],
};

const registry = new SchemaRegistry({ host: registryUrl });
const { id } = await registry.register(
  { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
  { subject: `${topic}-value` },
);
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 12, replicationFactor: 1 }], waitForLeaders: true });
await admin.disconnect();
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();

const app = Fastify({ logger: false });
app.post<{ Body: { From_Account: string } }>('/', async ({ body }) => {
  const value = await registry.encode(id, body);
  await producer.send({ topic, acks: -1, messages: [{ key: body.From_Account, value }] });
  return { ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 };
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
// What a profiler has found is written at an orderly end.
process.once('SIGTERM', () => process.exit());
