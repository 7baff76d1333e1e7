// The limit: Fastify that reads the body and answers a constant.
import Fastify from 'fastify';

const app = Fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/', async (_request, reply) =>
  reply.header('content-type', 'application/json').send('{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}'),
);
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
// What a profiler has found is written at an orderly end.
process.once('SIGTERM', () => process.exit());
