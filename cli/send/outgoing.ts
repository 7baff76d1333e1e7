import {
  isArray,
  isExactNumber,
  isObject,
  type JsonObject,
  type JsonValue,
  nameOfType,
  parseJson,
} from '../../ingest/tencent/json.ts';
import { messageOf, UserError } from '../../lib/errors.ts';
import { defaultSample } from '../samples.ts';

/** A callback that is to be sent. */
export interface Outgoing {
  readonly command: string;
  readonly body: string;
  /** Parameters of the query beside app, command and signature. */
  readonly query: Readonly<Record<string, string>>;
}

const wrapperNames = ['command', 'query', 'body'];

/**
 * What a line says: a bare body, sent as it stands, or {"command", "query", "body"}, of which only `body` must be there. A body
 * that names no command is a verdict, the one callback whose body never does. @throws {UserError} when it is neither.
 */
export function readOutgoing(text: string, command: string | undefined): Outgoing {
  const value = parse(text);
  if (!isObject(value)) throw new UserError(`${nameOfType(value)}, expected a JSON object`);
  if (!isWrapper(value)) return { command: command ?? commandIn(value), body: text, query: {} };
  const unknown = Object.keys(value).find((name) => !wrapperNames.includes(name));
  if (unknown !== undefined) throw new UserError(`unknown name "${unknown}", expected ${wrapperNames.join(', ')}`);
  const { command: own, query, body } = value;
  if (!isObject(body)) throw new UserError(`body is ${nameOfType(body)}, expected an object`);
  if (own !== undefined && (typeof own !== 'string' || own === '')) {
    throw new UserError(`command is ${own === '' ? 'empty' : nameOfType(own)}, expected a CallbackCommand`);
  }
  return { command: command ?? own ?? commandIn(body), body: JSON.stringify(body), query: queryOf(query) };
}

/** Tencent's own names begin with capital letters, so `body` beside nothing else, `command` or `query` is no body. */
function isWrapper(value: JsonObject): boolean {
  return Object.hasOwn(value, 'body') && (Object.keys(value).length === 1 || 'command' in value || 'query' in value);
}

function parse(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw new UserError(`no JSON (${messageOf(error)}), expected a JSON object`);
  }
}

/** The command that a body names, a batch in its first item. */
function commandIn(body: JsonObject): string {
  const { CallbackCommand: own, Events: items } = body;
  const first = isArray(items) && isObject(items[0]) ? items[0]['CallbackCommand'] : undefined;
  const command = own ?? first;
  return typeof command === 'string' && command !== '' ? command : defaultSample;
}

function queryOf(query: JsonValue | undefined): Readonly<Record<string, string>> {
  if (query === undefined) return {};
  if (!isObject(query)) throw new UserError(`query is ${nameOfType(query)}, expected an object`);
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (typeof value === 'string' || typeof value === 'number') return [name, String(value)];
      if (isExactNumber(value)) return [name, value.rawJSON];
      throw new UserError(`query.${name} is ${nameOfType(value)}, expected a string or a number`);
    }),
  );
}
