import { ResponseError } from '@platformatic/kafka';

/** Names of Kafka's errors that stand in an answer; none when there was no answer. */
export function errorNamesOf(error: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  if (!(error instanceof ResponseError)) return names;
  for (const each of error.errors) if ('apiId' in each) names.add(String(each.apiId));
  return names;
}

/** Another producer has the transactional id, or the transaction has taken longer than its time-out. */
const fenced = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING']);

export function isFencedName(errorName: string): boolean {
  return fenced.has(errorName);
}

/** The coordinator has moved, or is not there yet: who it is has to be asked again. */
const coordinatorElsewhere = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS']);

/** Whether an error says that another broker may be the coordinator by now; one without an answer does. */
export function isCoordinatorElsewhere(error: unknown): boolean {
  const names = errorNamesOf(error);
  return names.size === 0 || [...names].some((name) => coordinatorElsewhere.has(name));
}
