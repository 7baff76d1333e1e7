import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Sources } from './read.ts';
import { text } from './setting.ts';

export const sourceSettings = {
  envFile: text('IMWATCH_ENV_FILE', {
    help: 'File with settings, each overridden by the variable of its name; empty: no file. Only as a variable.',
    default: '.env',
  }),
};

/** The variables of this process, for settings and for the processes that it starts; nothing else reads them. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return { ...process.env };
}

/** What settings are read from: the variables of this process, and those of `.env` in the working directory. */
export function processSources(): Sources {
  const env = processEnvironment();
  const path = env[sourceSettings.envFile.name] ?? sourceSettings.envFile.fallback;
  const file = path !== '' && existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
  return { env, file, running: {} };
}

/** `sources` with addresses of what runs on this machine, which count where nothing else sets them. */
export function withRunning(sources: Sources, running: Readonly<Record<string, string>>): Sources {
  return { ...sources, running: { ...sources.running, ...running } };
}
