import { Command } from 'commander';
import { readSettings } from '../../lib/config/read.ts';
import { logSettings } from '../../lib/logger.ts';
import { runService } from '../../lib/run-service.ts';
import type { Service } from '../services.ts';
import { commandSources } from '../settings.ts';

/** The command that runs one service as this process. */
export function serviceCommand({ name, description, configure, identity }: Service): Command {
  return new Command(name).description(description).action(async () => {
    const sources = await commandSources();
    await runService(name, readSettings(logSettings, sources), configure(sources), identity?.(sources));
  });
}
