import kafkajs, { type Cluster, type Kafka } from 'kafkajs';

const { KafkaJSProtocolError } = kafkajs;

interface Coordinator {
  heartbeat(request: unknown): Promise<unknown>;
  joinGroup(request: unknown): Promise<unknown>;
}

interface Refusal {
  readonly request: 'heartbeat' | 'joinGroup';
  readonly type: string;
  readonly code: number;
  /** As kafkajs marks it. */
  readonly retriable: boolean;
}

const notCoordinator: Refusal = {
  request: 'heartbeat',
  type: 'NOT_COORDINATOR_FOR_GROUP',
  code: 16,
  retriable: true,
};
const unknownMember: Refusal = { request: 'heartbeat', type: 'UNKNOWN_MEMBER_ID', code: 25, retriable: false };
const loading: Refusal = { request: 'joinGroup', type: 'GROUP_LOAD_IN_PROGRESS', code: 14, retriable: true };

/** A client of a group whose coordinator moves: the answers are what a broker gave in such a case, everything else is real. */
export class MovingCoordinator {
  #toRefuse: Refusal[] = [];

  /** The next heartbeat is answered by a broker that is no coordinator, the next wish to join by one that is loading still. */
  move(): void {
    this.#toRefuse = [notCoordinator, loading];
  }

  /** The next heartbeat is answered that nobody knows the member, the next wish to join by a broker that is loading still. */
  forget(): void {
    this.#toRefuse = [unknownMember, loading];
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
          this.#refuse('heartbeat');
          return found.heartbeat(request);
        },
        joinGroup: async (request) => {
          this.#refuse('joinGroup');
          return found.joinGroup(request);
        },
      };
      return Object.assign(Object.create(found), refusing);
    };
  }

  #refuse(asked: Refusal['request']): void {
    const [next] = this.#toRefuse;
    if (next === undefined || next.request !== asked) return;
    this.#toRefuse.shift();
    const { type, code, retriable } = next;
    throw new KafkaJSProtocolError(Object.assign(new Error(type), { type, code, retriable }));
  }
}
