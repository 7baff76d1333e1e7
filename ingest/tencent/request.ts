import type { RecordOf } from '../../schemas/generated/events.ts';
import type { TopicId, topics } from '../../schemas/topics.ts';
import type { AnswerChoice } from './before-answers.ts';
import type { JsonObject } from './json.ts';
import type { CallbackQuery } from './query.ts';
import type { TextPolicy } from './text-policy.ts';

/** An authentic request, its body unread. */
export interface CallbackRequest {
  readonly sdkAppId: number;
  readonly query: CallbackQuery;
  /** The part of the URL behind the question mark, as received. */
  readonly queryString: string;
  readonly body: Buffer;
  readonly receivedAtMs: number;
}

/** What translation needs beside the request. */
export interface TranslationRules {
  readonly texts: TextPolicy;
  readonly idSecret: string | undefined;
  /** What is answered to commands that ask before something happens; allow for those that are not in it. */
  readonly answers: ReadonlyMap<string, AnswerChoice>;
  /** A text that is different at each call. */
  readonly random: () => string;
}

/** One callback of a request: the whole body, or an item of a batch. */
export interface Callback {
  readonly command: string;
  readonly body: JsonObject;
  /** JSON Pointer of `body` in the request's body; empty for the whole. */
  readonly path: string;
  readonly bytes: Buffer | string;
  /** What the body holds around a batch item beside the items. */
  readonly around: JsonObject | undefined;
}

/** The topics that ingest writes to. */
export const ingestTopicIds = [
  'verdict',
  'message',
  'user',
  'relation',
  'group',
  'push',
  'operation',
  'callback',
  'dead-letter',
] as const satisfies readonly TopicId[];
export type IngestTopicId = (typeof ingestTopicIds)[number];

/** The records that ingest writes. */
export type IngestRecordName = (typeof topics)[IngestTopicId]['record'];

/** A record for a topic, with its key. */
export type TranslatedEvent = { [N in IngestRecordName]: EventOf<N> }[IngestRecordName];
interface EventOf<N extends IngestRecordName> {
  readonly record: N;
  readonly topic: IngestTopicId;
  readonly key: string;
  readonly value: RecordOf[N];
}
