// What an afternoon gives: Fastify, one `send` of kafkajs a request, the registry's client encodes. No signature, no spool.
import Fastify from 'fastify';
import kafkajs from 'kafkajs';
import { registerVerdict } from './verdict-schema.ts';

const { Kafka, logLevel, Partitioners } = kafkajs;
const [port, brokers = '', registryUrl = '', topic = ''] = process.argv.slice(2);

const { registry, id } = await registerVerdict(registryUrl, topic);
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
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
