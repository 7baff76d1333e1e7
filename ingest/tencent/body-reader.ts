import { isArray, isExactNumber, isObject, type JsonObject, type JsonValue, nameOfType } from './json.ts';

/** A mapped field of the body has a value that cannot be what it stands for. */
export class FieldInvalid extends Error {
  override readonly name = 'FieldInvalid';
  /** JSON Pointer of the value. */
  readonly path: string;
  readonly expected: string;
  readonly value: JsonValue | undefined;

  constructor(path: string, expected: string, value: JsonValue | undefined) {
    super(`${path} is ${value === undefined ? 'absent' : nameOfType(value)}, expected ${expected}`);
    this.path = path;
    this.expected = expected;
    this.value = value;
  }
}

/**
 * Reads the fields of a body by name and remembers what it has given out exactly; the rest, and whatever a reading would have
 * changed, is left over for `extras`. Absent and null fields read as null (a null is left over), absent lists as empty.
 *
 * Every reading throws `FieldInvalid` when the value is of a wrong type.
 */
export class BodyReader {
  readonly #body: JsonObject;
  readonly #path: string;
  /** Names that fields hold exactly, each once: no two fields of a record take the same name. */
  #taken: string[] = [];
  /** Readers of objects inside, of which a record has one or two at most. */
  readonly #children: { readonly name: string; readonly reader: BodyReader }[] = [];

  constructor(body: JsonObject, path = '') {
    this.#body = body;
    this.#path = path;
  }

  text(name: string): string | null {
    const value = this.#valueOf(name);
    if (value === null || value === undefined) return null;
    if (typeof value !== 'string') throw this.invalid(name, 'a string');
    this.#hold(name);
    return value;
  }

  /** A text that is given out only when it is one; anything else is left over. */
  textIfAny(name: string): string | null {
    return typeof this.peek(name) === 'string' ? this.text(name) : null;
  }

  /**
   * A whole number. Digits as a text are understood and also left over as they are; a number beyond what an Avro long is
   * written from is null and left over.
   */
  integer(name: string): number | null {
    const value = this.#valueOf(name);
    if (value === null || value === undefined) return null;
    if (isLong(value)) {
      this.#hold(name);
      return value;
    }
    if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value);
    if (isWhole(value)) return null;
    throw this.invalid(name, 'an integer');
  }

  /** One of `words` by the number that stands for it. Absent and null fail too. */
  coded<T>(name: string, words: ReadonlyMap<number, T>, expected: string): T {
    const value = this.#valueOf(name);
    const word = typeof value === 'number' ? words.get(value) : undefined;
    if (word === undefined) throw this.invalid(name, expected);
    this.#hold(name);
    return word;
  }

  codedIfPresent<T>(name: string, words: ReadonlyMap<number, T>, expected: string): T | null {
    const value = this.#valueOf(name);
    return value === null || value === undefined ? null : this.coded(name, words, expected);
  }

  /** true or false; 1, 0, "true", "false", "1" and "0" are understood and also left over as they are. */
  lenientBoolean(name: string): boolean | null {
    const value = this.#valueOf(name);
    if (value === null || value === undefined) return null;
    if (typeof value === 'boolean') {
      this.#hold(name);
      return value;
    }
    if (typeof value === 'number' || typeof value === 'string') {
      const word = String(value).toLowerCase();
      if (/^(1|0|true|false)$/.test(word)) return word === '1' || word === 'true';
    }
    throw this.invalid(name, 'true or false');
  }

  /** A list of texts. */
  texts(name: string): readonly string[] {
    const value = this.#valueOf(name);
    if (value === null || value === undefined) return [];
    if (!isArray(value)) throw this.invalid(name, 'an array of strings');
    value.forEach((item, index) => {
      if (typeof item !== 'string') throw new FieldInvalid(`${this.pathOf(name)}/${index}`, 'a string', item);
    });
    if (value.length > 0) this.#hold(name);
    return value as readonly string[];
  }

  /** A list of texts, or one text in its place, which is also left over as it is. */
  textsOrText(name: string): readonly string[] {
    const value = this.#valueOf(name);
    return typeof value === 'string' ? [value] : this.texts(name);
  }

  /** The reader of the object under `name`, or null. What it leaves over is left over here at its path. */
  object(name: string): BodyReader | null {
    const known = this.#childAt(name);
    if (known !== undefined) return known;
    const value = this.#valueOf(name);
    if (value === null || value === undefined) return null;
    if (!isObject(value)) throw this.invalid(name, 'an object');
    const reader = new BodyReader(value, this.pathOf(name));
    if (sizeOf(value) > 0) this.#children.push({ name, reader });
    return reader;
  }

  /** The value as it stands, without taking it. */
  peek(name: string): JsonValue | undefined {
    return this.#valueOf(name);
  }

  /** Says that `name` is held exactly by a field, however it was read. */
  take(name: string): void {
    this.#hold(name);
  }

  /** Says that no field holds `name` exactly after all. */
  leave(name: string): void {
    this.#taken = this.#taken.filter((taken) => taken !== name);
  }

  invalid(name: string, expected: string): FieldInvalid {
    return new FieldInvalid(this.pathOf(name), expected, this.#valueOf(name));
  }

  pathOf(name: string): string {
    const isPlain = !name.includes('~') && !name.includes('/');
    return `${this.#path}/${isPlain ? name : name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }

  /** What no field holds exactly, or `undefined` when nothing is left over. */
  leftover(): JsonObject | undefined {
    let held = this.#taken.length;
    for (const { reader } of this.#children) if (reader.leftover() === undefined) held += 1;
    if (held === sizeOf(this.#body)) return undefined;
    const left: Record<string, JsonValue> = Object.create(null);
    for (const name of Object.keys(this.#body)) {
      const child = this.#childAt(name);
      const value = child === undefined ? this.#valueOf(name) : child.leftover();
      if (value !== undefined && !this.#taken.includes(name)) left[name] = value;
    }
    return left;
  }

  #childAt(name: string): BodyReader | undefined {
    for (const child of this.#children) if (child.name === name) return child.reader;
    return undefined;
  }

  #hold(name: string): void {
    this.#taken.push(name);
  }

  #valueOf(name: string): JsonValue | undefined {
    return this.#body[name];
  }
}

/** How many names an object has; counted without making a list of them. */
function sizeOf(object: JsonObject): number {
  let size = 0;
  for (const _ in object) size += 1;
  return size;
}

/** What avsc takes for a long: all but the last of the numbers that JavaScript holds exactly. */
const largestLong = Number.MAX_SAFE_INTEGER - 1;

/** Whether a value is a whole number that can be written as an Avro long. */
export function isLong(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= largestLong;
}

/** Whether a number that JavaScript does not hold exactly has no fraction. */
function isWhole(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isInteger(value);
  return isExactNumber(value) && /^-?\d+$/.test(value.rawJSON);
}

/** A value as an error message may show it: JSON text, cut to 100 characters. */
export function shown(value: JsonValue): string {
  const text = isExactNumber(value) ? value.rawJSON : JSON.stringify(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
