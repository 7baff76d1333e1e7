import type { Sample } from './samples.ts';

/** A value of JSON text that may hold what `JSON.stringify` never writes. */
type Node = Raw | readonly Node[] | ObjectNode;
/** JSON text of a scalar, or of anything. */
type Raw = string;
interface ObjectNode {
  readonly entries: readonly (readonly [nameText: string, value: Node])[];
}

/** Values that make trouble: wrong types, numbers beyond 2^53, lone surrogates, deep nesting, names of JavaScript's own. */
const oddValues: readonly Raw[] = [
  'null',
  'true',
  'false',
  '0',
  '1',
  '2',
  '-1',
  '-0',
  '1.5',
  '1e3',
  '1e400',
  '9007199254740991',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1000000000000000055511151231257827',
  '""',
  '"1"',
  '"0"',
  '"true"',
  '"1670574414123"',
  '"48374_2837546_1557481126"',
  '"Normal"',
  '"\\ud800"',
  '"\\u0000"',
  '"\\udc00\\ud83d"',
  '"😀"',
  '"__proto__"',
  '[]',
  '{}',
  '[{}]',
  '[null]',
  '["a","b"]',
  '{"__proto__":{"x":1}}',
  `${'['.repeat(70)}${']'.repeat(70)}`,
  `"${'x'.repeat(2_000)}"`,
];

const oddNames: readonly Raw[] = [
  '"New_Field"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"?"',
  '"?batch"',
  '""',
  '"\\ud800"',
  '"a/b~c"',
  '"CallbackCommand"',
  '"SdkAppId"',
  '"EventTime"',
  '"MsgBody"',
  '"Events"',
];

/** A body made of a sample by one to four random changes of its values, its names or its bytes; the same for the same numbers. */
export function mutate(sample: Sample, random: () => number): Buffer {
  let node = nodeOf(JSON.parse(sample.body));
  const changes = 1 + Math.floor(random() * 4);
  for (let change = 0; change < changes; change += 1) node = changed(node, random);
  return changedBytes(Buffer.from(textOf(node)), random);
}

export function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return value.map(nodeOf);
  if (typeof value === 'object' && value !== null) {
    return { entries: Object.entries(value).map(([name, each]) => [JSON.stringify(name), nodeOf(each)] as const) };
  }
  return JSON.stringify(value);
}

function textOf(node: Node): string {
  if (typeof node === 'string') return node;
  if (Array.isArray(node)) return `[${node.map(textOf).join(',')}]`;
  return `{${(node as ObjectNode).entries.map(([name, value]) => `${name}:${textOf(value)}`).join(',')}}`;
}

/** `node` with one change somewhere in it. */
function changed(node: Node, random: () => number): Node {
  if (typeof node === 'string') return pick(oddValues, random);
  const stop = random() < 0.15;
  if (Array.isArray(node)) {
    if (stop || node.length === 0) return random() < 0.5 ? [...node, pick(oddValues, random)] : pick(oddValues, random);
    const at = Math.floor(random() * node.length);
    return node.map((item, index) => (index === at ? changed(item, random) : item));
  }
  const { entries } = node as ObjectNode;
  const at = Math.floor(random() * entries.length);
  const entry = entries[at];
  if (entry === undefined || random() < 0.2) {
    return { entries: [...entries, [pick(oddNames, random), pick(oddValues, random)]] };
  }
  const [name, value] = entry;
  switch (Math.floor(random() * 6)) {
    case 0:
      return { entries: entries.filter((_, index) => index !== at) };
    case 1:
      return { entries: [...entries, [name, pick(oddValues, random)]] };
    case 2:
      return { entries: entries.map((each, index) => (index === at ? [pick(oddNames, random), value] : each)) };
    default:
      return { entries: entries.map((each, index) => (index === at ? [name, changed(value, random)] : each)) };
  }
}

function changedBytes(bytes: Buffer, random: () => number): Buffer {
  const kind = random();
  if (kind < 0.03) return bytes.subarray(0, Math.floor(random() * bytes.length));
  if (kind < 0.06) return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
  if (kind < 0.1) {
    const copy = Buffer.from(bytes);
    copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
    return copy;
  }
  return bytes;
}
