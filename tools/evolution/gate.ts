import { messageOf } from '../../lib/errors.ts';
import { avroType, type RecordSchema } from '../../schemas/records.ts';
import type { Compatibility } from '../../schemas/topics.ts';
import { parseSchema } from './avro-schema.ts';
import { invalidDefaults } from './defaults.ts';
import { type Obstacle, obstacles } from './resolution.ts';

/** A version of a record's schema that was released. */
export interface Version {
  readonly version: number;
  readonly schema: RecordSchema;
}

/**
 * Why `today` may not follow the versions before it, a sentence each; empty when it may. Every version is compared, in both
 * directions for FULL_TRANSITIVE; besides the rules, the library that reads the topics must be able to.
 */
export function refusals(today: RecordSchema, before: readonly Version[], level: Compatibility): readonly string[] {
  try {
    const wrong = invalidDefaults(parseSchema(today), today.name).map((each) => `${each}. Give it one that is.`);
    if (wrong.length > 0) return wrong;
    avroType(today);
  } catch (error) {
    return [`${today.name}: ${messageOf(error)}`];
  }
  const found = before.flatMap(({ version, schema }) => [
    ...unreadable(today, schema, (obstacle) => {
      return `${obstacle.at}: today's schema cannot read records of v${version} (${obstacle.rule}): ${obstacle.what}. ${advice(obstacle, 'today')}`;
    }),
    ...(level === 'FULL_TRANSITIVE'
      ? unreadable(schema, today, (obstacle) => {
          return `${obstacle.at}: readers of v${version} cannot read today's records (${obstacle.rule}): ${obstacle.what}. ${advice(obstacle, 'before')}`;
        })
      : []),
  ]);
  return [...new Set(found)];
}

function unreadable(
  reader: RecordSchema,
  writer: RecordSchema,
  say: (obstacle: Obstacle) => string,
): readonly string[] {
  const byRule = obstacles(parseSchema(reader), parseSchema(writer));
  if (byRule.length > 0) return byRule.map(say);
  try {
    avroType(reader).createResolver(avroType(writer));
    return [];
  } catch (error) {
    return [say({ at: reader.name, rule: 'type', what: messageOf(error) })];
  }
}

/** What to do about it, by whose reader fails. */
function advice({ rule }: Obstacle, reader: 'today' | 'before'): string {
  switch (rule) {
    case 'field without default':
      return reader === 'today'
        ? 'Give the new field a default, null where it may be absent.'
        : 'Keep the field: it had no default.';
    case 'enum symbol':
      return reader === 'today'
        ? 'Keep the symbol.'
        : 'Add a field of its own for the new word; words that may come are strings.';
    case 'default changed':
      return 'Keep the default, or add a new field.';
    case 'name':
      return 'Keep the name.';
    case 'order of a union':
      return 'Put the new type last.';
    case 'logical type':
    case 'type':
      return 'Keep the type, and add a new field for the new one.';
  }
}
