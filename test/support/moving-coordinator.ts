import kafkajs, { type Cluster, type Kafka } from 'kafkajs';

const { KafkaJSProtocolError } = kafkajs;

interface Coordinator {
  heartbeat(request: unknown): Promise<unknown>;
  joinGroup(request: unknown): Promise<unknown>;
}

/** A client of a group whose coordinator moves: the answers are what a broker gave in such a case, everything else is real. */
export class MovingCoordinator {
  #toRefuse: string[] = [];

  /** The next heartbeat is answered by a broker that is no coordinator, the next wish to join by one that is loading still. */
  move(): void {
    this.#toRefuse = ['heartbeat', 'joinGroup'];
  }

  /** How many answers of a move are still to be given. */
  get refusalsLeft(): number {
    return this.#toRefuse.length;
  }

  /** What `kafka` makes consumers of, seen through this coordinator. */
  of(kafka: Kafka): Kafka {
    const client = Object.create(kafka) as Kafka;
    client.consumer = ({ partitionAssigners = [], ...options }) =>
      kafka.consumer({
        ...options,
        partitionAssigners: partitionAssigners.map((assigner) => (config) => {
          this.#watch(config.cluster);
          return assigner(config);
        }),
      });
    return client;
  }

  #watch(cluster: Cluster): void {
    const find = cluster.findGroupCoordinator.bind(cluster);
    cluster.findGroupCoordinator = async (group) => {
      const found = (await find(group)) as unknown as Coordinator;
      const refusing: Coordinator = {
        heartbeat: async (request) => {
          this.#refuse('heartbeat', 'NOT_COORDINATOR_FOR_GROUP', 16);
          return found.heartbeat(request);
        },
        joinGroup: async (request) => {
          this.#refuse('joinGroup', 'GROUP_LOAD_IN_PROGRESS', 14);
          return found.joinGroup(request);
        },
      };
      return Object.assign(Object.create(found), refusing);
    };
  }

  #refuse(request: string, type: string, code: number): void {
    if (this.#toRefuse[0] !== request) return;
    this.#toRefuse.shift();
    throw new KafkaJSProtocolError(Object.assign(new Error(type), { type, code, retriable: true }));
  }
}
