import { metadataV10 } from '@platformatic/kafka';
import type { Cluster } from '../cluster.ts';
import { untilAnswered } from '../until-answered.ts';

/**
 * Kafka's id of each topic: one that is removed and made again has another one. For Kafka 2.8 and later.
 *
 * @throws the reason of `signal` once that is aborted; {KafkaRequestError} for what does not pass.
 */
export async function topicIdsOf(
  cluster: Cluster,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { topics: found } = await untilAnswered(signal, () =>
    cluster.askAny((connection) => metadataV10.api.async(connection, [...topics], false)),
  );
  return topics.map((topic) => found.find(({ name }) => name === topic)?.topicId ?? '');
}
