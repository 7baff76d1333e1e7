import { accessSync, constants } from 'node:fs';
import { AddressList } from '../address-list.ts';

/**
 * One setting: its name in the environment, how its text becomes a value, and the help that documents are made from.
 *
 * `parse` throws an Error whose message says what was expected ("an integer from 1 to 65535").
 */
export interface Setting<T> {
  readonly name: string;
  readonly kind: string;
  readonly unit?: string;
  readonly help: string;
  readonly secret: boolean;
  /** The value when nothing is set. */
  readonly fallback: T;
  /** How the default reads in documents, where `fallback` alone does not say it. */
  readonly defaultText: string;
  parse(text: string): T;
}

interface Described {
  readonly help: string;
  readonly unit?: string;
  readonly secret?: boolean;
  readonly defaultText?: string;
}

interface Optional extends Described {
  readonly default?: undefined;
}

interface Defaulted<T> extends Described {
  readonly default: T;
}

interface Either<T> extends Described {
  readonly default?: T | undefined;
}

function setting<T, D>(name: string, kind: string, about: Either<D>, parse: (text: string) => T): Setting<T | D> {
  const fallback = about.default as D;
  return {
    name,
    kind,
    ...(about.unit === undefined ? {} : { unit: about.unit }),
    help: about.help,
    secret: about.secret ?? false,
    fallback,
    defaultText: about.defaultText ?? (fallback === undefined ? '' : String(fallback)),
    parse,
  };
}

interface Shape {
  /** What the text must match, and how an error says so. */
  readonly shape?: { readonly pattern: RegExp; readonly expected: string };
}

/** A text, as it stands. */
export function text(name: string, about: Defaulted<string> & Shape): Setting<string>;
export function text(name: string, about: Optional & Shape): Setting<string | undefined>;
export function text(name: string, about: Either<string> & Shape): Setting<string | undefined> {
  return setting(name, 'text', about, (value) => {
    if (about.shape?.pattern.test(value) === false) throw new Error(about.shape.expected);
    return value;
  });
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number within `min` and `max`, both included. */
export function integer(name: string, about: Defaulted<number> & Range): Setting<number>;
export function integer(name: string, about: Optional & Range): Setting<number | undefined>;
export function integer(name: string, about: Either<number> & Range): Setting<number | undefined> {
  return setting(name, `integer ${about.min} to ${about.max}`, about, (value) => {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < about.min || number > about.max) {
      throw new Error(`an integer from ${about.min} to ${about.max}`);
    }
    return number;
  });
}

/** `true` or `false` (also 1, 0, yes, no). */
export function flag(name: string, about: Defaulted<boolean>): Setting<boolean>;
export function flag(name: string, about: Optional): Setting<boolean | undefined>;
export function flag(name: string, about: Either<boolean>): Setting<boolean | undefined> {
  return setting(name, 'true or false', about, (value) => {
    if (/^(true|1|yes)$/i.test(value)) return true;
    if (/^(false|0|no)$/i.test(value)) return false;
    throw new Error('true or false');
  });
}

/** One word of a closed list. */
export function choice<const T extends string>(name: string, words: readonly T[], about: Defaulted<T>): Setting<T>;
export function choice<const T extends string>(
  name: string,
  words: readonly T[],
  about: Optional,
): Setting<T | undefined>;
export function choice<const T extends string>(
  name: string,
  words: readonly T[],
  about: Either<T>,
): Setting<T | undefined> {
  return setting(name, words.join(' | '), about, (value) => {
    const word = words.find((candidate) => candidate === value.toLowerCase());
    if (word === undefined) throw new Error(`one of ${words.join(', ')}`);
    return word;
  });
}

/** Comma-separated words; blanks around them are dropped. */
export function list(
  name: string,
  about: Optional & { readonly item: RegExp; readonly expected: string },
): Setting<string[] | undefined> {
  return setting<string[], undefined>(name, 'comma-separated list', about, (value) => {
    const items = value.split(',').map((item) => item.trim());
    if (!items.every((item) => about.item.test(item))) throw new Error(about.expected);
    return items;
  });
}

/** IP addresses and ranges (CIDR) of both families, separated by commas. */
export function addressList(name: string, about: Optional): Setting<AddressList | undefined> {
  return setting<AddressList, undefined>(name, 'comma-separated list', about, (value) => {
    try {
      return new AddressList(value.split(',').map((item) => item.trim()));
    } catch (error) {
      throw new Error(`IP addresses and ranges (CIDR) separated by commas; ${(error as Error).message}`);
    }
  });
}

/** Path of a file that can be read. */
export function readableFile(name: string, about: Optional): Setting<string | undefined> {
  return setting<string, undefined>(name, 'file', about, (value) => {
    try {
      accessSync(value, constants.R_OK);
    } catch {
      throw new Error('a file that can be read');
    }
    return value;
  });
}

/** An http or https address without user, query or fragment; a trailing slash is dropped unless the address is used as it is. */
export function httpUrl(name: string, about: Optional & { readonly asItIs?: boolean }): Setting<string | undefined> {
  return setting<string, undefined>(name, 'http(s) address', about, (value) => {
    const url = URL.parse(value);
    const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
    if (!isPlain || !/^https?:$/.test(url.protocol)) {
      throw new Error('an http:// or https:// address without user and query');
    }
    return about.asItIs === true ? value : value.replace(/\/+$/, '');
  });
}

/** JSON text, checked and turned into a value by `read`, whose error message says what was expected. */
export function json<T>(name: string, about: Optional, read: (value: unknown) => T): Setting<T | undefined> {
  return setting<T, undefined>(name, 'JSON', about, (value) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(value);
    } catch {
      throw new Error('JSON');
    }
    return read(parsed);
  });
}
