import { Command } from 'commander';
import { readIngestConfig } from '../../ingest/config.ts';
import { startIngest } from '../../ingest/main.ts';
import { readSettings } from '../../lib/config/read.ts';
import { logSettings } from '../../lib/logger.ts';
import { runService } from '../../lib/run-service.ts';
import { commandSources } from '../settings.ts';

export function ingestCommand(): Command {
  return new Command('ingest').description('take callbacks over HTTP and put them on Kafka').action(async () => {
    const sources = await commandSources();
    const config = readIngestConfig(sources);
    await runService('ingest', readSettings(logSettings, sources), (logger) => startIngest(config, logger));
  });
}
