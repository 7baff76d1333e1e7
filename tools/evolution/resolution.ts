import { isDeepStrictEqual } from 'node:util';
import { type AvroNode, type EnumNode, nameOf, type RecordNode } from './avro-schema.ts';

/** Why records written with one schema cannot be read with another, or would be read as something else. */
export interface Obstacle {
  /** Path of the field, for example `ContentVerdict.result`. */
  readonly at: string;
  readonly rule:
    | 'name'
    | 'type'
    | 'logical type'
    | 'field without default'
    | 'enum symbol'
    | 'default changed'
    | 'order of a union';
  /** What stands in the way, of the reader and the writer. */
  readonly what: string;
}

/** Types that a reader may have in place of the writer's, by the writer's. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
};

/**
 * All that keeps `reader` from reading what `writer` wrote, by the rules of schema resolution in the Avro specification (1.12).
 *
 * Stricter than these where a value would be read and mean something else, or where readers differ: full names must be equal
 * and aliases do not help, logical types must be equal, string and bytes are not each other, a default must not change, and no
 * branch of a union that a value could be promoted to may stand before the one of its own type.
 */
export function obstacles(reader: AvroNode, writer: AvroNode): readonly Obstacle[] {
  const found: Obstacle[] = [];
  new Resolution(found).resolve(reader, writer, 'fullName' in reader ? simpleName(reader.fullName) : nameOf(reader));
  return found;
}

class Resolution {
  readonly #found: Obstacle[];
  /** Records that are being resolved, so that a type which contains itself ends. */
  readonly #under = new Set<string>();

  constructor(found: Obstacle[]) {
    this.#found = found;
  }

  resolve(reader: AvroNode, writer: AvroNode, at: string): void {
    if (writer.kind === 'union') {
      for (const branch of writer.branches) this.#resolveBranch(reader, branch, at);
    } else if (reader.kind === 'union') this.#resolveBranch(reader, writer, at);
    else this.#resolvePlain(reader, writer, at);
  }

  #resolveBranch(reader: AvroNode, writer: AvroNode, at: string): void {
    if (reader.kind !== 'union') {
      this.#resolvePlain(reader, writer, at);
      return;
    }
    const own = reader.branches.findIndex((branch) => isSameKind(branch, writer));
    const first = reader.branches.findIndex((branch) => isReadable(branch, writer));
    if (own >= 0 && first >= 0 && first < own) {
      const [before, itself] = [nameOf(reader.branches[first] as AvroNode), nameOf(reader.branches[own] as AvroNode)];
      this.#add(
        at,
        'order of a union',
        `the reader has ${before} before ${itself}, and takes a ${nameOf(writer)} for the first`,
      );
    }
    const branch = reader.branches[own >= 0 ? own : first];
    if (branch === undefined)
      this.#add(at, 'type', `the reader has ${nameOf(reader)}, the writer may write ${nameOf(writer)}`);
    else this.#resolvePlain(branch, writer, at);
  }

  #resolvePlain(reader: AvroNode, writer: AvroNode, at: string): void {
    if (reader.kind === 'record' && writer.kind === 'record') this.#resolveRecord(reader, writer, at);
    else if (reader.kind === 'enum' && writer.kind === 'enum') this.#resolveEnum(reader, writer, at);
    else if ((reader.kind === 'array' || reader.kind === 'map') && writer.kind === reader.kind) {
      this.resolve(reader.content, writer.content, `${at}${reader.kind === 'array' ? '[]' : '{}'}`);
    } else if (!isReadable(reader, writer)) {
      this.#add(at, 'type', `the reader has ${nameOf(reader)}, the writer ${nameOf(writer)}`);
    } else if ('fullName' in reader && 'fullName' in writer) this.#sameName(reader, writer, at);
    const [ours, theirs] = [logicalTypeOf(reader), logicalTypeOf(writer)];
    if (ours !== theirs && isReadable(reader, writer)) {
      this.#add(at, 'logical type', `the reader has ${nameOf(reader)}, the writer ${nameOf(writer)}`);
    }
  }

  #resolveRecord(reader: RecordNode, writer: RecordNode, at: string): void {
    const pair = `${reader.fullName}\n${writer.fullName}`;
    if (this.#under.has(pair)) return;
    this.#under.add(pair);
    this.#sameName(reader, writer, at);
    const written = new Map(writer.fields.map((field) => [field.name, field]));
    for (const field of reader.fields) {
      const path = `${at}.${field.name}`;
      const counterpart = written.get(field.name);
      if (counterpart === undefined) {
        if (field.default === undefined) {
          this.#add(
            path,
            'field without default',
            'the writer does not have the field, and the reader has no default for it',
          );
        }
        continue;
      }
      const before = this.#found.length;
      this.resolve(field.type, counterpart.type, path);
      // Of another type the default has to be another.
      if (this.#found.length > before) continue;
      const both = field.default !== undefined && counterpart.default !== undefined;
      if (both && !isDeepStrictEqual(field.default, counterpart.default)) {
        const [ours, theirs] = [JSON.stringify(field.default), JSON.stringify(counterpart.default)];
        this.#add(path, 'default changed', `the default is ${ours} for the reader and ${theirs} for the writer`);
      }
    }
    this.#under.delete(pair);
  }

  #resolveEnum(reader: EnumNode, writer: EnumNode, at: string): void {
    this.#sameName(reader, writer, at);
    const unknown = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
    if (unknown.length > 0 && reader.default === undefined) {
      this.#add(at, 'enum symbol', `the reader does not know ${unknown.join(', ')}, and has no default symbol`);
    }
    if (reader.default !== undefined && writer.default !== undefined && reader.default !== writer.default) {
      this.#add(
        at,
        'default changed',
        `the default symbol is ${reader.default} for the reader and ${writer.default} for the writer`,
      );
    }
  }

  #sameName(reader: { readonly fullName: string }, writer: { readonly fullName: string }, at: string): void {
    if (reader.fullName === writer.fullName) return;
    this.#add(at, 'name', `the type is ${reader.fullName} for the reader and ${writer.fullName} for the writer`);
  }

  #add(at: string, rule: Obstacle['rule'], what: string): void {
    this.#found.push({ at, rule, what });
  }
}

/** Whether the values of both have the same form, so that a union's branch is the one meant. */
function isSameKind(reader: AvroNode, writer: AvroNode): boolean {
  if (reader.kind !== writer.kind) return false;
  if (reader.kind === 'primitive' && writer.kind === 'primitive') return reader.name === writer.name;
  if ('fullName' in reader && 'fullName' in writer) return simpleName(reader.fullName) === simpleName(writer.fullName);
  return true;
}

/** Whether a value of `writer` can be taken for one of `reader` at all, whatever is inside. */
function isReadable(reader: AvroNode, writer: AvroNode): boolean {
  if (reader.kind === 'primitive' && writer.kind === 'primitive') {
    return reader.name === writer.name || promotions[writer.name]?.includes(reader.name) === true;
  }
  if (reader.kind === 'fixed' && writer.kind === 'fixed') return reader.size === writer.size;
  return reader.kind === writer.kind;
}

function logicalTypeOf(node: AvroNode): string | undefined {
  return 'logicalType' in node ? node.logicalType : undefined;
}

function simpleName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}
