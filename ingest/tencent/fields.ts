import { BodyReader, FieldInvalid, isLong } from './body-reader.ts';
import { isArray, isObject, type JsonObject, type JsonValue } from './json.ts';
import type { TextPolicy } from './text-policy.ts';

/**
 * How one field of an event is read from a body, and what of the body it gives back.
 *
 * `read` throws `FieldInvalid` on a value of a wrong type, and leaves over whatever the field does not hold exactly.
 * `restore` gives the value that was read, or `undefined` where the field holds none; what was left over goes over it.
 */
export interface Field<T> {
  /** Name in Tencent's body. */
  readonly source: string;
  /** The object of the body that holds it, where that is not the body itself. */
  readonly inside?: string;
  read(reader: BodyReader, texts: TextPolicy): T;
  restore(value: T): JsonValue | undefined;
}

/** A field for each field of a record. */
export type FieldsOf<R> = { readonly [K in keyof R]-?: Field<R[K]> };

/** Sets the fields of `record`, read in order, and returns it. */
export function readFields<R extends object, B extends object>(
  fields: FieldsOf<R>,
  reader: BodyReader,
  texts: TextPolicy,
  record: B,
): B & R {
  const growing = record as Record<string, unknown>;
  for (const name in fields) growing[name] = fields[name].read(reader, texts);
  return record as B & R;
}

/** The part of a body that the fields of a record hold. */
export function restoreFields<R extends object>(fields: FieldsOf<R>, record: R): JsonObject {
  const body: Record<string, JsonValue> = Object.create(null);
  for (const name in fields) {
    const field = fields[name];
    const value = field.restore(record[name]);
    if (value === undefined) continue;
    if (field.inside === undefined) body[field.source] = value;
    else {
      const outer = (body[field.inside] ?? Object.create(null)) as Record<string, JsonValue>;
      outer[field.source] = value;
      body[field.inside] = outer;
    }
  }
  return body;
}

/** A name, an id or a word of Tencent's, as received. */
export function text(source: string): Field<string | null> {
  return { source, read: (reader) => reader.text(source), restore: given };
}

/** A text that is kept only when it is one; anything else is left over. */
export function textIfAny(source: string): Field<string | null> {
  return { source, read: (reader) => reader.textIfAny(source), restore: given };
}

/** Something that people wrote, or the address of something they made: subject to the text policy. */
export function prose(source: string): Field<string | null> {
  return { source, read: (reader, texts) => texts.text(reader.text(source)), restore: given };
}

/** Prose, or the JSON text of another value in its place, which is also left over. */
export function proseOrJson(source: string): Field<string | null> {
  return {
    source,
    read: (reader, texts) => {
      const value = reader.peek(source);
      if (value === undefined || value === null || typeof value === 'string') return texts.text(reader.text(source));
      return texts.json(value);
    },
    restore: given,
  };
}

/** A whole number; one beyond what a long is written from is null and left over with its digits. */
export function integer(source: string): Field<number | null> {
  return { source, read: (reader) => reader.integer(source), restore: given };
}

const millisInSecond = 1000;
const largestSeconds = 8.64e12;

/** A time that Tencent sends in whole seconds, in milliseconds. */
export function seconds(source: string): Field<number | null> {
  return {
    source,
    read: (reader) => {
      const value = reader.integer(source);
      if (value !== null && value > 0 && value <= largestSeconds) return value * millisInSecond;
      reader.leave(source);
      return null;
    },
    restore: (value) => (value === null ? undefined : value / millisInSecond),
  };
}

/** A list of names or ids. */
export function texts(source: string): Field<readonly string[]> {
  return { source, read: (reader) => reader.texts(source), restore: filled };
}

/** What each object of a list holds as text under `key`; objects that hold more, or not that, are left over as well. */
export function textOfEach(source: string, key: string): Field<readonly string[]> {
  return {
    source,
    read: (reader) => readEach(reader, source, (item) => item.text(key)),
    restore: (values) => (values.length === 0 ? undefined : values.map((value) => ({ [key]: value }))),
  };
}

/** What each object of a list holds as a whole number under `key`. */
export function integerOfEach(source: string, key: string): Field<readonly number[]> {
  return {
    source,
    read: (reader) => readEach(reader, source, (item) => item.integer(key)),
    restore: (values) => (values.length === 0 ? undefined : values.map((value) => ({ [key]: value }))),
  };
}

/** A list of objects, a record for each. */
export function list<R extends object>(source: string, fields: FieldsOf<R>): Field<readonly R[]> {
  return {
    source,
    read: (reader, policy) => readEach(reader, source, (item) => readFields(fields, item, policy, {})),
    restore: (records) => (records.length === 0 ? undefined : records.map((record) => restoreFields(fields, record))),
  };
}

/** Whole numbers by name; anything that is no object of numbers is left over. */
export function counts(source: string): Field<Readonly<Record<string, number>>> {
  return {
    source,
    read: (reader) => {
      const value = reader.peek(source);
      // A map that is read from Avro does not hold the name __proto__.
      if (!isObject(value) || Object.hasOwn(value, '__proto__') || !Object.values(value).every(isLong)) return {};
      if (Object.keys(value).length > 0) reader.take(source);
      return value as Readonly<Record<string, number>>;
    },
    restore: (values) => (Object.keys(values).length === 0 ? undefined : values),
  };
}

/** One word for each number that stands for it. */
export function coded<T extends string>(source: string, words: ReadonlyMap<number, T>, expected: string): Field<T> {
  return {
    source,
    read: (reader) => reader.coded(source, words, expected),
    restore: (word) => words.entries().find(([, each]) => each === word)?.[0],
  };
}

/** As `coded`, null where there is nothing. */
export function codedIfPresent<T extends string>(
  source: string,
  words: ReadonlyMap<number, T>,
  expected: string,
): Field<T | null> {
  return {
    source,
    read: (reader) => reader.codedIfPresent(source, words, expected),
    restore: (word) => words.entries().find(([, each]) => each === word)?.[0],
  };
}

/** `field`, which stands in the object `outer` of the body. */
export function inside<T>(outer: string, field: Field<T | null>): Field<T | null> {
  return {
    ...field,
    inside: outer,
    read: (reader, policy) => {
      const object = reader.object(outer);
      return object === null ? null : field.read(object, policy);
    },
  };
}

/** A list of things that people wrote. */
export function proseList(source: string): Field<readonly string[]> {
  return { source, read: (reader, policy) => policy.texts(reader.texts(source)), restore: filled };
}

/** A list of things that people wrote, or one of them in its place, which is also left over. */
export function proseListOrProse(source: string): Field<readonly string[]> {
  return { source, read: (reader, policy) => policy.texts(reader.textsOrText(source)), restore: filled };
}

/** true or false; a number or word that stands for one is also left over. */
export function lenientBoolean(source: string): Field<boolean | null> {
  return { source, read: (reader) => reader.lenientBoolean(source), restore: given };
}

function given<T extends JsonValue>(value: T | null): T | undefined {
  return value ?? undefined;
}

function filled(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values;
}

/**
 * Reads each object of a list. Results that are null are dropped. The list is left over whole unless every object was held
 * exactly.
 */
export function readEach<T>(reader: BodyReader, source: string, read: (item: BodyReader) => T | null): readonly T[] {
  const value = reader.peek(source);
  if (value === undefined || value === null) return [];
  if (!isArray(value)) throw reader.invalid(source, 'an array of objects');
  const results: T[] = [];
  let isExact = value.length > 0;
  value.forEach((object, index) => {
    const path = `${reader.pathOf(source)}/${index}`;
    if (!isObject(object)) throw new FieldInvalid(path, 'an object', object);
    const item = new BodyReader(object, path);
    const result = read(item);
    if (result === null) isExact = false;
    else results.push(result);
    if (item.leftover() !== undefined) isExact = false;
    // An empty object leaves nothing over and yet is more than nothing.
    if (Object.keys(object).length === 0) isExact = false;
  });
  if (isExact) reader.take(source);
  return results;
}
