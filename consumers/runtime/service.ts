import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import { readTopics, type Start } from '../../lib/kafka/topic-reader.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Readiness, startManagementServer } from '../../lib/management-server.ts';
import type { RunningService } from '../../lib/run-service.ts';
import { learnDestinations, requireCopartitioned } from '../../schemas/destinations.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topicName, topics } from '../../schemas/topics.ts';
import type { ConsumerConfig } from './config.ts';
import { type CreateProcessors, TopicConsumer } from './consumer.ts';
import { EventDecoder } from './decoder.ts';
import { type ConsumerMetrics, createConsumerMetrics } from './metrics.ts';
import { writeOutputs } from './output.ts';
import { untilDone } from './until-done.ts';

type RecordOn<I extends TopicId> = (typeof topics)[I]['record'];

/** What a service may use to make its processors. */
export interface ProcessorContext {
  readonly metrics: ConsumerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives each readable record of a topic of these partitions to `onRecord`, from `start` to what is its end now. */
  readBack<I extends TopicId>(
    id: I,
    partitions: readonly number[] | 'all',
    start: Start,
    onRecord: (value: RecordOf[RecordOn<I>], partition: number) => void,
  ): Promise<void>;
}

export interface ConsumerServiceOptions<I extends TopicId> {
  readonly name: string;
  readonly input: I;
  /** Topics that it writes to, beside the dead letters. */
  readonly outputs: readonly TopicId[];
  /** One of them that is read back by partition, so that it must have as many as the input. */
  readonly copartitioned?: TopicId;
  readonly config: ConsumerConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly processors: (context: ProcessorContext) => CreateProcessors<RecordOn<I>>;
}

/**
 * Starts a service that consumes one topic. It answers on its management port at once and waits for broker and registry; a bug
 * in its logic ends the process.
 */
export async function startConsumerService<I extends TopicId>(
  options: ConsumerServiceOptions<I>,
): Promise<RunningService> {
  const { name, input, config, clock, logger } = options;
  await using starting = new AsyncDisposableStack();
  const stopping = new AbortController();

  const kafka = createKafka(config, `imwatch-${name}`, logger);
  const registry = createSchemaRegistry(config);
  const metrics = createConsumerMetrics();
  const sink = new KafkaSink(kafka);
  starting.defer(() => sink.disconnect());

  let consumer: TopicConsumer<RecordOn<I>> | undefined;
  let waitingFor = 'Kafka and the schema registry have not answered yet';
  const readiness = (): Readiness => {
    const reason = consumer === undefined ? waitingFor : consumer.waitingFor;
    return reason === undefined ? { status: 'ready', reasons: [] } : { status: 'unavailable', reasons: [reason] };
  };
  const { managementHost: host, managementPort: port } = config;
  const management = await startManagementServer({ host, port, metrics: metrics.registry, readiness });
  starting.defer(() => management.close());

  const decoderOf = <T extends TopicId>(id: T): EventDecoder<RecordOn<T>> =>
    new EventDecoder(topics[id].record, registry);
  const context: ProcessorContext = {
    metrics,
    clock,
    logger,
    readBack: async (id, partitions, start, onRecord) => {
      const decoder = decoderOf(id);
      await readTopics({
        kafka,
        topics: [topicName(config.topicPrefix, id)],
        start,
        follow: false,
        signal: stopping.signal,
        onCaughtUp: () => undefined,
        onRecord: async ({ partition, value }) => {
          if (partitions !== 'all' && !partitions.includes(partition)) return;
          const decoded = await decoder.decode(value);
          if ('value' in decoded) onRecord(decoded.value, partition);
        },
      });
      // A reading that was ended is not whole.
      stopping.signal.throwIfAborted();
    },
  };
  const create = options.processors(context);
  const onFailure = (error: Error): void => {
    waitingFor = messageOf(error);
    logger.warn({ reason: waitingFor }, 'Kafka or the schema registry is not ready, trying again');
  };

  async function connect(): Promise<void> {
    const destinations = await learnDestinations({ kafka, registry, values: config }, [
      input,
      'dead-letter',
      ...options.outputs,
    ]);
    const [from, to] = [destinations.get(input), destinations.get(options.copartitioned ?? input)];
    if (from !== undefined && to !== undefined) requireCopartitioned(from, to);
    const output = { sink, writer: new RecordWriter(destinations), metrics, clock, logger };
    await sink.connect();
    stopping.signal.throwIfAborted();
    const joining = new TopicConsumer({
      kafka,
      service: name,
      groupId: `${config.topicPrefix}.${name}`,
      topic: topicName(config.topicPrefix, input),
      decoder: decoderOf(input),
      createProcessors: (partitions, signal) =>
        untilDone(() => create(partitions, signal), { signal, clock, onFailure }),
      write: (records, signal) => writeOutputs(records, output, signal),
      metrics,
      clock,
      logger,
      onBug: (error) =>
        setImmediate(() => {
          throw error;
        }),
    });
    // Known before it has joined, so that a stop meanwhile reaches it.
    consumer = joining;
    try {
      await joining.start();
    } catch (error) {
      consumer = undefined;
      await joining.stop();
      throw error;
    }
  }

  const connected = untilDone(connect, { signal: stopping.signal, clock, onFailure });
  connected.catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  starting.defer(async () => {
    stopping.abort();
    await consumer?.stop();
  });

  const resources = starting.move();
  return { addresses: { management: management.url }, stop: () => resources.disposeAsync() };
}
