// Takes a lease on the embedded broker of the home named by its argument, says so, and keeps it until it is killed.
import { takeLease } from '../../dev/keeper/lease.ts';
import { processEnvironment } from '../../lib/config/sources.ts';

const lease = await takeLease({
  home: process.argv[2] ?? '',
  kind: 'embedded',
  env: processEnvironment(),
  onProgress: () => undefined,
  signal: new AbortController().signal,
});
process.send?.(lease.brokers);
setInterval(() => lease, 60_000);
