// Takes a lease on the embedded broker of the home named by its argument, says so, and keeps it until it is killed.
import { takeLease } from '../../dev/keeper/lease.ts';

const lease = await takeLease(process.argv[2] ?? '', 'embedded', () => undefined, new AbortController().signal);
process.send?.(lease.brokers);
setInterval(() => lease, 60_000);
