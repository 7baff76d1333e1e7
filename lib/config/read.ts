import { ConfigError } from '../errors.ts';
import type { Setting } from './setting.ts';

/** Where a value came from; `running` is filled in by the broker that runs on this machine. */
export type Source = 'env' | 'file' | 'running' | 'default';

/** The texts that settings are read from, the first that has a name wins. Empty texts count as not set. */
export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: Readonly<Record<string, string | undefined>>;
  readonly running: Readonly<Record<string, string | undefined>>;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** A titled list of settings that one part of imwatch reads. */
export interface SettingsGroup<S extends Settings = Settings> {
  readonly title: string;
  readonly settings: S;
}

export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** The text of setting `name` and its source, or `undefined` when nothing sets it. */
export function textOf(sources: Sources, name: string): { text: string; source: Source } | undefined {
  for (const source of ['env', 'file', 'running'] as const) {
    const text = sources[source][name];
    if (text !== undefined && text.trim() !== '') return { text: text.trim(), source };
  }
  return undefined;
}

/**
 * Reads every one of `settings`, then lets `check` look at them together.
 *
 * @throws {ConfigError} naming every wrong setting at once.
 */
export function readSettings<S extends Settings>(
  settings: S,
  sources: Sources,
  check: (values: Values<S>) => readonly string[] = () => [],
): Values<S> {
  const problems: string[] = [];
  const wrong: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    const found = textOf(sources, setting.name);
    if (found === undefined) {
      values[key] = setting.fallback;
      continue;
    }
    try {
      values[key] = setting.parse(found.text);
    } catch (error) {
      values[key] = setting.fallback;
      wrong.push(setting.name);
      const shown = setting.secret ? 'the given value' : JSON.stringify(found.text);
      const where = found.source === 'file' ? ' (in .env)' : '';
      problems.push(`${setting.name}${where} is ${shown}, expected ${(error as Error).message}`);
    }
  }
  const read = values as Values<S>;
  // A setting that cannot be read is looked at as if it were not set; what that leads to is not the user's mistake.
  problems.push(...check(read).filter((conflict) => !wrong.some((name) => conflict.includes(name))));
  if (problems.length > 0) throw new ConfigError(problems);
  return read;
}
