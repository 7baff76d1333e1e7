import type { DeadLetter } from '../../schemas/generated/events.ts';

/** A dead letter and where it stands on its topic. */
export interface PlacedLetter {
  readonly partition: number;
  readonly offset: number;
  readonly letter: DeadLetter;
}

/** `partition:offset`, by which one dead letter can be asked for. */
export function placeOf({ partition, offset }: Pick<PlacedLetter, 'partition' | 'offset'>): string {
  return `${partition}:${offset}`;
}

/** The record that failed as `topic[partition]@offset`, or `null` for a callback. */
export function sourceOf({ sourceTopic, sourcePartition, sourceOffset }: DeadLetter): string | null {
  return sourceTopic === null ? null : `${sourceTopic}[${sourcePartition}]@${sourceOffset}`;
}

/** What scripts get of a dead letter without its content; times as epoch milliseconds. */
export function headOf(placed: PlacedLetter) {
  const { body, query: _query, headers: _headers, key, ...letter } = placed.letter;
  const { partition, offset } = placed;
  return {
    partition,
    offset,
    ...letter,
    key: key?.toString() ?? null,
    bodyBytes: body?.length ?? null,
  };
}

/** All of a dead letter for scripts, bytes as base64. */
export function wholeOf(placed: PlacedLetter) {
  const { body, query, headers } = placed.letter;
  return {
    ...headOf(placed),
    query,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString('base64')])),
    body: body?.toString('base64') ?? null,
  };
}
