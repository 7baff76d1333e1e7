// A member of a group in a process of its own: told by its parent to block its loop, it tells what it is told of, each with its time.

import { readSettings } from '../../lib/config/read.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { GroupMembership } from '../../lib/kafka/consume/membership.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';

export interface MemberOrder {
  readonly blockMs: number;
}

/** What a member tells its parent. */
export interface MemberNews {
  readonly what: 'assigned' | 'revoked' | 'woken';
  readonly atMs: number;
  readonly isMember: boolean;
  /** Numbers of what it has been given, of all topics. */
  readonly partitions?: readonly number[];
}

const [brokers = '', groupId = '', ...topics] = process.argv.slice(2);
const values = readSettings(kafkaSettings, { env: { KAFKA_BROKERS: brokers }, file: {}, running: {} });

function tell(what: MemberNews['what'], partitions?: readonly number[]): void {
  const news: MemberNews = { what, atMs: Date.now(), isMember: membership.isMember };
  process.send?.(partitions === undefined ? news : { ...news, partitions });
}

const membership = new GroupMembership({
  kafka: createKafka(values, 'imwatch-test', silentLogger),
  groupId,
  topics,
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 300,
  onAssigned: ({ partitions }) =>
    tell(
      'assigned',
      partitions.map(({ partition }) => partition),
    ),
  onRevoked: () => tell('revoked'),
  onFailed: (error) => {
    throw error;
  },
});

process.on('message', ({ blockMs }: MemberOrder) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
  tell('woken');
});
process.on('disconnect', () => process.exit(0));
await membership.start();
