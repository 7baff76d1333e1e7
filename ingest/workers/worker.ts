import cluster from 'node:cluster';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import type { IngestConfig } from '../config.ts';
import { type RunningIngest, startIngest } from '../main.ts';
import type { Answers, FromWorker, Question, ToWorker } from './messages.ts';

/** Longer than a supervisor that lives needs to say goodbye. */
const farewellMs = 1_000;

/** Starts ingest as one of several processes, which its supervisor asks for its state and tells when to leave. */
export async function startWorker(config: IngestConfig, logger: Logger): Promise<RunningService> {
  // Node would else end this process at once when its supervisor does, with requests half answered.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  const ingest = await startIngest(config, logger, false);
  const retired = Promise.withResolvers<string>();
  const bye = Promise.withResolvers<void>();
  let shedMs = 0;
  let isLeaving = false;

  process.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'ask':
        void answer(ingest, message.question).then((found) => say({ type: 'answer', id: message.id, answer: found }));
        break;
      case 'adopt':
        // One that goes would leave it to others again.
        if (!isLeaving) void ingest.adopt();
        break;
      case 'retire':
        shedMs = message.shedMs;
        isLeaving = true;
        retired.resolve('the supervisor asks for it');
        break;
      case 'bye':
        bye.resolve();
        break;
    }
  });

  return {
    addresses: ingest.addresses,
    asked: retired.promise,
    drain: async () => {
      isLeaving = true;
      await say({ type: 'leaving' });
      await ingest.drain();
    },
    stop: async () => {
      isLeaving = true;
      if (shedMs > 0) await ingest.shedConnections(shedMs);
      await ingest.stop();
      await sayFarewell(ingest, bye.promise);
    },
  };
}

async function answer(ingest: RunningIngest, question: Question): Promise<Answers[Question]> {
  return question === 'readiness' ? ingest.readiness() : ingest.metrics.getMetricsAsJSON();
}

/**
 * Waits until the supervisor has heard everything that was said before: that nothing is taken here any more, so that connections
 * which were on their way to this process are back with it before this process ends.
 */
async function sayFarewell(ingest: RunningIngest, bye: Promise<void>): Promise<void> {
  if (!process.connected) return;
  const metrics = await ingest.metrics.getMetricsAsJSON();
  await say({ type: 'farewell', metrics });
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, farewellMs);
  await Promise.race([bye, late.promise]);
  clearTimeout(timer);
}

/** Resolves when the message is on its way, or nobody listens any more. */
function say(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
