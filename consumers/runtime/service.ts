import { join } from 'node:path';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { clusterIdOf } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Readiness, startManagementServer } from '../../lib/management-server.ts';
import type { RunningService } from '../../lib/run-service.ts';
import { learnDestinations, requireCopartitioned } from '../../schemas/destinations.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topicName, topics } from '../../schemas/topics.ts';
import { avroCodec, Changelog } from './changelog.ts';
import { type ConsumerConfig, groupIdOf, stateRoot } from './config.ts';
import { type Connections, TopicConsumer } from './consumer.ts';
import { EventDecoder } from './decoder.ts';
import {
  type ConsumerDefinition,
  type EventOn,
  type EventTopicId,
  eventDecoder,
  type FieldOn,
  type RecordOn,
} from './definition.ts';
import { createHistory } from './history.ts';
import { createConsumerMetrics } from './metrics.ts';
import { takeInstanceFolder } from './state/instance-folder.ts';
import { untilDone } from './until-done.ts';

export interface ConsumerServiceOptions<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>> {
  readonly definition: ConsumerDefinition<I, S, F>;
  readonly config: ConsumerConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Connections among which transactions are spread. */
const transactingConnections = 4;

/**
 * Starts a service that consumes one topic. It answers on its management port at once and waits for broker and registry; a bug
 * in its logic ends the process.
 */
export async function startConsumerService<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>>(
  options: ConsumerServiceOptions<I, S, F>,
): Promise<RunningService> {
  const { definition, config, clock, logger } = options;
  const { name, input } = definition;
  await using starting = new AsyncDisposableStack();
  const stopping = new AbortController();

  const kafka = createKafka(config, `imwatch-${name}`, logger);
  const registry = createSchemaRegistry(config);
  let consumer: TopicConsumer<EventOn<I, F>, RecordOf[RecordOn<S>]> | undefined;
  const metrics = createConsumerMetrics(
    () => consumer?.state ?? { partitions: { running: 0, claiming: 0, stopped: 0 }, oldestInFlightMs: 0 },
  );
  const connections = connectionsTo(() => new Cluster(clusterOptions(config, `imwatch-${name}`)));
  starting.defer(() => closeAll(connections));

  let waitingFor = 'Kafka and the schema registry have not answered yet';
  const readiness = (): Readiness => {
    if (consumer === undefined) return { status: 'unavailable', reasons: [waitingFor] };
    return consumer.readiness;
  };
  const { managementHost: host, managementPort: port } = config;
  const management = await startManagementServer({
    host,
    port,
    metrics: metrics.registry,
    readiness,
    stuckBecause: () => consumer?.stuckBecause,
  });
  starting.defer(() => management.close());

  const folder = takeInstanceFolder(join(stateRoot(config), `${config.topicPrefix}.${name}`));
  starting.defer(() => folder.release());

  const decoderOf = <T extends TopicId>(id: T): EventDecoder<RecordOn<T>> =>
    new EventDecoder(topics[id].record as RecordOn<T>, registry);
  const history = createHistory({
    options: clusterOptions(config, `imwatch-${name}`),
    cluster: connections.restoring,
    logger,
    prefix: config.topicPrefix,
    decoderOf,
    clock: systemClock,
    stopping: stopping.signal,
  });
  const createProcessors = definition.processors({ ...history, metrics, clock, logger });
  const onFailure = (error: Error): void => {
    waitingFor = messageOf(error);
    logger.warn({ reason: waitingFor }, 'Kafka or the schema registry is not ready, trying again');
  };

  async function connect(): Promise<void> {
    const { state, progress, outputs } = definition;
    const needed = [input, 'dead-letter', progress, ...outputs, ...(state === undefined ? [] : [state])] as const;
    const destinations = await learnDestinations({ kafka, registry, values: config }, needed);
    const destination = (id: TopicId) => {
      const found = destinations.get(id);
      if (found === undefined) throw new Error(`Nothing is known of topic ${id}`);
      return found;
    };
    const progressTopic = {
      destination: destination(progress),
      decoder: decoderOf(progress),
      record: 'SeenEvents' as const,
    };
    requireCopartitioned(destination(input), progressTopic.destination);
    const stateTopic = state && {
      destination: destination(state),
      decoder: decoderOf(state),
      record: topics[state].record as RecordOn<S>,
    };
    if (stateTopic !== undefined) requireCopartitioned(destination(input), stateTopic.destination);
    const clusterId = await clusterIdOf(kafka);
    stopping.signal.throwIfAborted();
    const joining = new TopicConsumer({
      kafka,
      connections,
      clusterId,
      service: name,
      groupId: groupIdOf(config, name),
      topic: topicName(config.topicPrefix, input),
      decoder: eventDecoder(definition, registry),
      writer: new RecordWriter(destinations),
      changelog: new Changelog(stateTopic, progressTopic),
      codec: avroCodec((stateTopic?.record ?? 'SeenEvents') as RecordOn<S>),
      stateFolder: folder.path,
      dedupHorizonMs: config.dedupHorizonMs,
      createProcessors,
      metrics,
      clock: systemClock,
      time: clock,
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

  const connected = untilDone(connect, { signal: stopping.signal, clock: systemClock, onFailure });
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

function connectionsTo(create: () => Cluster): Connections {
  const transacting = Array.from({ length: transactingConnections }, () => {
    const cluster = create();
    return { cluster, coordinators: new Coordinators(cluster) };
  });
  return { fetching: create(), restoring: create(), transacting };
}

async function closeAll({ fetching, restoring, transacting }: Connections): Promise<void> {
  const clusters = [fetching, restoring, ...transacting.map(({ cluster }) => cluster)];
  await Promise.all(clusters.map((cluster) => cluster.close()));
}
