import { EventDecoder } from '../../consumers/runtime/decoder.ts';
import type { TranslatedEvent, TranslationRules } from '../../ingest/tencent/request.ts';
import type { DeadLetter, RecordName } from '../../schemas/generated/events.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topicIds, topicName, topics } from '../../schemas/topics.ts';
import { type Retranslation, retranslate, type Stays } from './retranslate.ts';

/** A record that is written to its topic again as it was. */
export interface RecordAgain {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly timestampMs: number;
}

/** What becomes of a dead letter when it is tried again today. */
export type Attempt = Retranslation | { readonly kind: 'record'; readonly record: RecordAgain };

export interface AttemptOptions {
  readonly rules: Omit<TranslationRules, 'random'>;
  readonly registry: SchemaRegistry;
  readonly topicPrefix: string;
}

/** Tries dead letters again with today's code, and writes nothing. */
export class Attempts {
  readonly #options: AttemptOptions;
  readonly #decoders = new Map<TopicId, EventDecoder<RecordName>>();

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** @throws {RegistryUnavailableError} when the schema of a record is not known yet and cannot be asked for. */
  async attempt(letter: DeadLetter): Promise<Attempt> {
    return letter.sourceTopic === null
      ? retranslate(letter, this.#options.rules)
      : await this.#decodedAgain(letter, letter.sourceTopic);
  }

  /** Full name of the topic that an event is written to. */
  topicOf({ topic }: TranslatedEvent): string {
    return topicName(this.#options.topicPrefix, topic);
  }

  async #decodedAgain(letter: DeadLetter, topic: string): Promise<Attempt> {
    const decoder = this.#decoderOf(topic);
    if (decoder === undefined) {
      return staying(
        `Its record was on ${topic}, expected a topic of imwatch with the prefix ${this.#options.topicPrefix}`,
      );
    }
    const { body: value, key, headers, sourcePartition, receivedAt } = letter;
    const decoded = await decoder.decode(value);
    if ('problem' in decoded || value === null) {
      return staying('problem' in decoded ? decoded.problem : 'the record has no value');
    }
    const partition = sourcePartition ?? 0;
    return { kind: 'record', record: { topic, partition, key, value, headers, timestampMs: receivedAt } };
  }

  #decoderOf(topic: string): EventDecoder<RecordName> | undefined {
    const id = topicIds.find((each) => topicName(this.#options.topicPrefix, each) === topic);
    if (id === undefined) return undefined;
    const decoder = this.#decoders.get(id) ?? new EventDecoder<RecordName>(topics[id].record, this.#options.registry);
    this.#decoders.set(id, decoder);
    return decoder;
  }
}

function staying(detail: string): Attempt {
  const stays: Stays = { reason: 'RECORD_NOT_READABLE', fieldPath: null, detail };
  return { kind: 'stays', stays };
}
