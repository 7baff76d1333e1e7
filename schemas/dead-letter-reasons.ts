/** What a reason code of a dead letter means, a sentence each for people. */
export interface ReasonText {
  readonly meaning: string;
  /** What mends it. */
  readonly remedy: string;
}

/** Why ingest could make no event of a callback. */
export const ingestReasons = {
  BODY_NOT_JSON: {
    meaning: 'The body is not a JSON object in UTF-8.',
    remedy: 'Nothing on this side: look at what sent it.',
  },
  BODY_TOO_DEEP: {
    meaning: 'The body is nested deeper than 64 levels.',
    remedy: 'Nothing on this side: no callback of Tencent is.',
  },
  COMMAND_MISSING: {
    meaning: 'Neither the query nor the body names a CallbackCommand.',
    remedy: 'Nothing on this side: it cannot be known what it was.',
  },
  COMMAND_MISMATCH: {
    meaning:
      'The query and the body name different commands, or an item of a batch names one that does not come in batches.',
    remedy: 'Update imwatch where Tencent has a new command that comes in batches, then redrive.',
  },
  APP_MISMATCH: {
    meaning: "The body's SdkAppId is not the query's.",
    remedy: 'Nothing on this side: the sender mixes up apps.',
  },
  FIELD_INVALID: {
    meaning:
      'A field that imwatch reads has a value that cannot be what it stands for; its path and what was expected are named.',
    remedy: 'Update imwatch where Tencent has changed the field, then redrive.',
  },
  EVENT_TOO_LARGE: {
    meaning: 'The event is larger than a record of its topic may be.',
    remedy: 'Update imwatch where it allows larger records, then redrive.',
  },
  UNEXPECTED: {
    meaning: 'The body broke imwatch itself; the log of ingest has the error.',
    remedy: 'Report it, update imwatch, then redrive.',
  },
} as const satisfies Record<string, ReasonText>;

/** Why a consumer could not handle a record. */
export const consumerReasons = {
  RECORD_NOT_READABLE: {
    meaning:
      'A record of an event topic is not in wire format, or its schema is unknown or cannot be read as the one of today.',
    remedy: 'Register the schema that is missing, or update the consumer, then redrive; what is no Avro stays.',
  },
  OUTPUT_REFUSED: {
    meaning: 'Kafka will never take what the consumer made of the event, for example because it is too large.',
    remedy: 'Allow larger records on the topic that is named, or update the consumer, then redrive.',
  },
} as const satisfies Record<string, ReasonText>;

export type IngestReason = keyof typeof ingestReasons;
export type ConsumerReason = keyof typeof consumerReasons;
