import type { Reader } from '@platformatic/kafka';

/** What a broker has answered for one partition: 0, or one of Kafka's error codes. */
export interface PartitionOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly detail: string | null;
}

/** Bytes of three 64-bit integers: base offset, time of the append, start of the log. */
const offsetsBytes = 24;

/** Reads the body of a Produce response (version 9). */
export function readProduceResponse(reader: Reader): readonly PartitionOutcome[] {
  const outcomes: PartitionOutcome[] = [];
  reader.readArray(
    (topicReader) => {
      const topic = topicReader.readString();
      topicReader.readArray(
        (partitionReader) => {
          const partition = partitionReader.readInt32();
          const errorCode = partitionReader.readInt16();
          partitionReader.skip(offsetsBytes);
          const [firstDetail] = partitionReader.readArray(readRecordError, true, false);
          const detail = partitionReader.readNullableString() ?? firstDetail ?? null;
          partitionReader.readTaggedFields();
          outcomes.push({ topic, partition, errorCode, detail });
        },
        true,
        false,
      );
      topicReader.readTaggedFields();
    },
    true,
    false,
  );
  return outcomes;
}

function readRecordError(reader: Reader): string | null {
  reader.readInt32();
  const detail = reader.readNullableString();
  reader.readTaggedFields();
  return detail;
}
