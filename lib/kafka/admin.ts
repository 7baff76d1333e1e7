import kafkajs, { type Admin, type AdminConfig, type Kafka } from 'kafkajs';
import { AppError, messageOf } from '../errors.ts';

// Node finds only some of kafkajs's exports by name.
const { KafkaJSError, KafkaJSAggregateError } = kafkajs;

/** The cluster cannot be reached, or refuses what was asked of it. */
export class KafkaRequestError extends AppError {
  override readonly name = 'KafkaRequestError';
  readonly code = 'KAFKA_REQUEST_FAILED';
  readonly retryable = true;
}

/**
 * Runs `use` with an admin client that is connected for as long as that takes.
 *
 * @throws {KafkaRequestError} for whatever the client could not do; other errors of `use` as they are.
 */
export async function withAdmin<T>(
  kafka: Kafka,
  use: (admin: Admin) => Promise<T>,
  config: AdminConfig = {},
): Promise<T> {
  const admin = kafka.admin(config);
  try {
    return await kafkaRequest(async () => {
      await admin.connect();
      return use(admin);
    });
  } finally {
    await admin.disconnect();
  }
}

/**
 * Does what talks to Kafka.
 *
 * @throws {KafkaRequestError} for whatever the client could not do; other errors as they are.
 */
export async function kafkaRequest<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!isKafkaClientError(error)) throw error;
    throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
  }
}

/** True for what kafkajs itself throws: an expected failure of the cluster or of the way to it, not a bug of ours. */
export function isKafkaClientError(error: unknown): boolean {
  return error instanceof KafkaJSError || error instanceof KafkaJSAggregateError;
}

/** Kafka's id of the cluster. @throws {KafkaRequestError} */
export function clusterIdOf(kafka: Kafka): Promise<string> {
  return withAdmin(kafka, async (admin) => (await admin.describeCluster()).clusterId);
}
