// Takes the lock named by its argument, says so, and keeps it until it is killed.
import { ProcessLock } from '../../lib/process-lock.ts';

const lock = ProcessLock.tryTake(process.argv[2] ?? '');
process.send?.(lock !== undefined);
setInterval(() => lock, 60_000);
