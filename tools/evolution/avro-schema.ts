/** An Avro schema with its names resolved, as resolution rules look at it. */
export type AvroNode =
  | { readonly kind: 'primitive'; readonly name: string; readonly logicalType: string | undefined }
  | { readonly kind: 'array' | 'map'; readonly content: AvroNode }
  | { readonly kind: 'union'; readonly branches: readonly AvroNode[] }
  | EnumNode
  | {
      readonly kind: 'fixed';
      readonly fullName: string;
      readonly size: number;
      readonly logicalType: string | undefined;
    }
  | RecordNode;

export interface EnumNode {
  readonly kind: 'enum';
  readonly fullName: string;
  readonly symbols: readonly string[];
  readonly default: string | undefined;
}

export interface RecordNode {
  readonly kind: 'record';
  readonly fullName: string;
  readonly fields: readonly FieldNode[];
}

export interface FieldNode {
  readonly name: string;
  readonly type: AvroNode;
  /** `undefined` when it has none; a default of null is null. */
  readonly default: unknown;
}

type Json = { readonly [name: string]: unknown };

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

/** @throws {Error} for what is no Avro schema. */
export function parseSchema(schema: unknown): AvroNode {
  return new Parser().parse(schema, '');
}

class Parser {
  readonly #named = new Map<string, AvroNode>();

  parse(schema: unknown, namespace: string): AvroNode {
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (Array.isArray(schema))
      return { kind: 'union', branches: schema.map((branch) => this.parse(branch, namespace)) };
    if (typeof schema !== 'object' || schema === null) throw new Error(`${JSON.stringify(schema)} is no Avro type`);
    return this.#complex(schema as Json, namespace);
  }

  #reference(name: string, namespace: string): AvroNode {
    if (primitives.has(name)) return { kind: 'primitive', name, logicalType: undefined };
    const found = this.#named.get(fullNameOf(name, namespace)) ?? this.#named.get(name);
    if (found === undefined) throw new Error(`There is no type ${name}`);
    return found;
  }

  #complex(schema: Json, namespace: string): AvroNode {
    const { type } = schema;
    switch (type) {
      case 'array':
        return { kind: 'array', content: this.parse(schema['items'], namespace) };
      case 'map':
        return { kind: 'map', content: this.parse(schema['values'], namespace) };
      case 'enum':
      case 'fixed':
      case 'record':
        return this.#define(type, schema, namespace);
      default: {
        const inner = this.parse(type, namespace);
        const logicalType = logicalTypeOf(schema);
        return inner.kind === 'primitive' && logicalType !== undefined ? { ...inner, logicalType } : inner;
      }
    }
  }

  #define(kind: 'enum' | 'fixed' | 'record', schema: Json, outer: string): AvroNode {
    const fullName = fullNameOf(String(schema['name']), String(schema['namespace'] ?? outer));
    const namespace = fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')));
    if (this.#named.has(fullName)) throw new Error(`${fullName} is defined twice`);
    if (kind === 'enum') {
      const symbols = schema['symbols'] as readonly string[];
      return this.#name({ kind, fullName, symbols, default: schema['default'] as string | undefined });
    }
    if (kind === 'fixed') {
      return this.#name({ kind, fullName, size: Number(schema['size']), logicalType: logicalTypeOf(schema) });
    }
    // Known before its fields are, since they may refer to it.
    const fields: FieldNode[] = [];
    const record = this.#name({ kind, fullName, fields });
    for (const field of schema['fields'] as readonly Json[]) {
      const type = this.parse(field['type'], namespace);
      fields.push({ name: String(field['name']), type, default: field['default'] });
    }
    return record;
  }

  #name<N extends AvroNode & { readonly fullName: string }>(node: N): N {
    this.#named.set(node.fullName, node);
    return node;
  }
}

function logicalTypeOf(schema: Json): string | undefined {
  const { logicalType } = schema;
  return typeof logicalType === 'string' ? logicalType : undefined;
}

function fullNameOf(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

/** A type for messages: `long (timestamp-millis)`, `array of string`, `null or string`. */
export function nameOf(node: AvroNode): string {
  switch (node.kind) {
    case 'primitive':
      return node.logicalType === undefined ? node.name : `${node.name} (${node.logicalType})`;
    case 'array':
    case 'map':
      return `${node.kind} of ${nameOf(node.content)}`;
    case 'union':
      return node.branches.map(nameOf).join(' or ');
    default:
      return `${node.kind} ${node.fullName}`;
  }
}
