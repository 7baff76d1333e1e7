import type { Reader } from '@platformatic/kafka';

/** What a broker has answered for one partition: 0, or one of Kafka's error codes. */
export interface PartitionOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Offset of the first record; -1 when the broker does not tell, as for a batch that it had already. */
  readonly baseOffset: bigint;
  readonly detail: string | null;
}

/** Bytes of two 64-bit integers: time of the append, start of the log. */
const skippedBytes = 16;

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
          const baseOffset = partitionReader.readInt64();
          partitionReader.skip(skippedBytes);
          const [firstDetail] = partitionReader.readArray(readRecordError, true, false);
          const detail = partitionReader.readNullableString() ?? firstDetail ?? null;
          partitionReader.readTaggedFields();
          outcomes.push({ topic, partition, errorCode, baseOffset, detail });
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
