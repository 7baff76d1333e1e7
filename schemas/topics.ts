import { minInsyncReplicas } from '../lib/kafka/topic-admin.ts';
import type { RecordName } from './generated/events.ts';

/** Which changes of a schema the registry takes: FULL for what the data team reads, BACKWARD for the rest. */
export type Compatibility = 'FULL_TRANSITIVE' | 'BACKWARD_TRANSITIVE';

/** One topic: what stands on it and how it is kept. */
export interface Topic {
  readonly record: RecordName;
  readonly purpose: string;
  /** What follows `<sdkAppId>/` in the key: the first of these that the callback has. */
  readonly keyedBy: string;
  readonly writtenBy: string;
  readonly cleanup: 'delete' | 'compact' | 'compact,delete';
  /** `null` where the last record of each key is kept for good. */
  readonly retentionDays: number | null;
  readonly compatibility: Compatibility;
}

/** Every topic by the middle part of its name. */
export const topics = {
  verdict: {
    record: 'ContentVerdict',
    purpose: 'moderation verdicts (ContentCallback.ResultNotify)',
    keyedBy: 'From_Account',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 30,
    compatibility: 'FULL_TRANSITIVE',
  },
  message: {
    record: 'MessageEvent',
    purpose: 'messages before and after they are sent, read, changed or recalled',
    keyedBy: 'GroupId, Official_Account, Report_Account, From_Account',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 7,
    compatibility: 'FULL_TRANSITIVE',
  },
  user: {
    record: 'UserEvent',
    purpose: 'users coming on line and going off line, profiles',
    keyedBy: 'To_Account (Info), From_Account',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 7,
    compatibility: 'FULL_TRANSITIVE',
  },
  relation: {
    record: 'RelationEvent',
    purpose: 'friends, block lists, followers',
    keyedBy: 'Requester_Account, From_Account, first pair’s From_Account',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 7,
    compatibility: 'FULL_TRANSITIVE',
  },
  group: {
    record: 'GroupEvent',
    purpose: 'groups, topics and official accounts: made, changed, ended, who comes and goes',
    keyedBy: 'GroupId, Official_Account, Operator_Account',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 7,
    compatibility: 'FULL_TRANSITIVE',
  },
  push: {
    record: 'PushEvent',
    purpose: 'what became of push notifications',
    keyedBy: 'To_Account, From_Account, TaskId',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 7,
    compatibility: 'FULL_TRANSITIVE',
  },
  operation: {
    record: 'OperationEvent',
    purpose: 'alarms of Tencent: REST calls over their limit, groups near their quota',
    keyedBy: 'nothing',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 30,
    compatibility: 'FULL_TRANSITIVE',
  },
  callback: {
    record: 'UnknownCallback',
    purpose: 'callbacks of other products and of commands without a row, whole',
    keyedBy: 'From_Account, GroupId',
    writtenBy: 'ingest',
    cleanup: 'delete',
    retentionDays: 7,
    compatibility: 'FULL_TRANSITIVE',
  },
  'dead-letter': {
    record: 'DeadLetter',
    purpose: 'input that could not become an event, with the reason',
    keyedBy: 'what its event would have had',
    writtenBy: 'every service',
    cleanup: 'delete',
    retentionDays: 30,
    compatibility: 'FULL_TRANSITIVE',
  },
  rollup: {
    record: 'Rollup',
    purpose: 'numbers of verdicts by minute, scene, label, suggestion and result',
    keyedBy: 'the window and everything that is counted by',
    writtenBy: 'analytics',
    cleanup: 'compact,delete',
    retentionDays: 90,
    compatibility: 'FULL_TRANSITIVE',
  },
  'analytics.state': {
    record: 'WindowRow',
    purpose: 'what analytics has counted in windows that verdicts may still belong to',
    keyedBy: 'the window and everything that is counted by',
    writtenBy: 'analytics',
    cleanup: 'compact',
    retentionDays: null,
    compatibility: 'BACKWARD_TRANSITIVE',
  },
  'penalty.ledger': {
    record: 'LedgerEntry',
    purpose: 'strikes and decisions, the history of penalties',
    keyedBy: 'account',
    writtenBy: 'penalties',
    cleanup: 'delete',
    retentionDays: 400,
    compatibility: 'FULL_TRANSITIVE',
  },
  'penalty.state': {
    record: 'Standing',
    purpose: 'what counts against each user now',
    keyedBy: 'account',
    writtenBy: 'penalties',
    cleanup: 'compact',
    retentionDays: null,
    compatibility: 'BACKWARD_TRANSITIVE',
  },
  alert: {
    record: 'Alert',
    purpose: 'incidents, a record for each change of status',
    keyedBy: 'fingerprint',
    writtenBy: 'alerting',
    cleanup: 'compact,delete',
    retentionDays: 90,
    compatibility: 'FULL_TRANSITIVE',
  },
  'analytics.progress': {
    record: 'SeenEvents',
    purpose: 'which events analytics has taken',
    keyedBy: 'a number that ascends',
    writtenBy: 'analytics',
    cleanup: 'compact',
    retentionDays: null,
    compatibility: 'BACKWARD_TRANSITIVE',
  },
  'penalties.progress': {
    record: 'SeenEvents',
    purpose: 'which events penalties has taken',
    keyedBy: 'a number that ascends',
    writtenBy: 'penalties',
    cleanup: 'compact',
    retentionDays: null,
    compatibility: 'BACKWARD_TRANSITIVE',
  },
  'alerting.progress': {
    record: 'SeenEvents',
    purpose: 'which events alerting has taken',
    keyedBy: 'a number that ascends',
    writtenBy: 'alerting',
    cleanup: 'compact',
    retentionDays: null,
    compatibility: 'BACKWARD_TRANSITIVE',
  },
} as const satisfies Record<string, Topic>;

export type TopicId = keyof typeof topics;

export const topicIds = Object.keys(topics) as TopicId[];

/** Largest record that a topic takes, in bytes; a body is at most 1 MiB, and its event may be larger than the body. */
export const maxRecordBytes = 4 * 1024 * 1024;

/** Full name of a topic, for example `im.verdict.v1`. */
export function topicName(prefix: string, id: TopicId): string {
  return `${prefix}.${id}.v1`;
}

/** The registry's subject of a topic's values (TopicNameStrategy). */
export function subjectOf(topic: string): string {
  return `${topic}-value`;
}

const dayMs = 24 * 60 * 60 * 1000;

/** A consumer that restores its state reads what compaction has left, which does not touch the segment that is written to. */
const compactedOften = { 'segment.bytes': String(64 * 1024 * 1024), 'segment.ms': String(dayMs / 4) };

/** The Kafka settings of a topic that has `replication` replicas: name → value, as the broker spells them. */
export function topicConfig(topic: Topic, replication: number): Record<string, string> {
  return {
    'cleanup.policy': topic.cleanup,
    ...(topic.retentionDays === null ? compactedOften : { 'retention.ms': String(topic.retentionDays * dayMs) }),
    'max.message.bytes': String(maxRecordBytes),
    'min.insync.replicas': String(minInsyncReplicas(replication)),
  };
}
