import { type AvroNode, nameOf } from './avro-schema.ts';

/** Defaults that are no values of their fields, a sentence each. In a union it has to be one of the first branch, as older readers want it. */
export function invalidDefaults(
  node: AvroNode,
  at: string,
  seen: ReadonlySet<AvroNode> = new Set(),
): readonly string[] {
  if (seen.has(node)) return [];
  const within = new Set([...seen, node]);
  switch (node.kind) {
    case 'record':
      return node.fields.flatMap((field) => {
        const path = `${at}.${field.name}`;
        const type = field.type.kind === 'union' ? field.type.branches[0] : field.type;
        const isWrong = field.default !== undefined && (type === undefined || !isValue(type, field.default));
        const wanted = type === undefined ? 'none' : nameOf(type);
        return [
          ...(isWrong ? [`${path}: the default ${JSON.stringify(field.default)} is not of the type ${wanted}`] : []),
          ...invalidDefaults(field.type, path, within),
        ];
      });
    case 'enum':
      return node.default === undefined || node.symbols.includes(node.default)
        ? []
        : [`${at}: the default symbol ${node.default} is not one of ${node.symbols.join(', ')}`];
    case 'array':
    case 'map':
      return invalidDefaults(node.content, at, within);
    case 'union':
      return node.branches.flatMap((branch) => invalidDefaults(branch, at, within));
    default:
      return [];
  }
}

/** Whether a JSON value stands for a value of the type, as defaults are written. */
function isValue(node: AvroNode, value: unknown): boolean {
  switch (node.kind) {
    case 'primitive':
      return isPrimitive(node.name, value);
    case 'enum':
      return node.symbols.includes(value as string);
    case 'fixed':
      return typeof value === 'string' && value.length === node.size;
    case 'array':
      return Array.isArray(value) && value.every((item) => isValue(node.content, item));
    case 'map':
      return isObject(value) && Object.values(value).every((item) => isValue(node.content, item));
    case 'union':
      return node.branches[0] !== undefined && isValue(node.branches[0], value);
    case 'record':
      return (
        isObject(value) &&
        node.fields.every(({ name, type, default: ofField }) =>
          Object.hasOwn(value, name) ? isValue(type, value[name]) : ofField !== undefined,
        )
      );
  }
}

const intLimit = 2 ** 31;

function isPrimitive(name: string, value: unknown): boolean {
  switch (name) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
      return Number.isInteger(value) && Number(value) >= -intLimit && Number(value) < intLimit;
    case 'long':
      return Number.isSafeInteger(value);
    case 'float':
    case 'double':
      return typeof value === 'number';
    case 'bytes':
      return typeof value === 'string' && /^[\0-\u00ff]*$/.test(value);
    default:
      return typeof value === 'string';
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
