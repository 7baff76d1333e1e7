import type { Sources } from '../lib/config/read.ts';
import { sourceSettings } from '../lib/config/sources.ts';
import type { Logger } from '../lib/logger.ts';
import type { RunningService } from '../lib/run-service.ts';
import type { IngestConfig } from './config.ts';
import { startIngest } from './main.ts';
import { startWorkers } from './workers/start.ts';
import { startWorker } from './workers/worker.ts';
import { workerNumber } from './workers/worker-number.ts';

/** Starts ingest as `INGEST_WORKERS` says: as this process, or as several that this one looks after. */
export function startIngestService(config: IngestConfig, sources: Sources, logger: Logger): Promise<RunningService> {
  if (workerNumber(sources) === undefined && config.workers > 1) {
    // The workers read what has been checked here, whatever becomes of the file meanwhile.
    const { running, file, env } = sources;
    return startWorkers(config, { ...running, ...file, ...env, [sourceSettings.envFile.name]: '' }, logger);
  }
  // It is meant for a supervisor, and would end any other process.
  process.on('SIGUSR2', () =>
    logger.warn('SIGUSR2 replaces the workers of the supervisor alone, INGEST_WORKERS=2 or more'),
  );
  return workerNumber(sources) === undefined ? startIngest(config, logger) : startWorker(config, logger);
}
