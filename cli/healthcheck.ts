// Health check of a container: ends with 0 when the service on the management port named by its argument is ready, else with 1.
import { readReadiness } from './management-client.ts';

const readiness = await readReadiness(`http://127.0.0.1:${process.argv[2]}`);
process.exitCode = readiness === undefined || readiness.status === 'unavailable' ? 1 : 0;
