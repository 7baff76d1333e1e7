// Logs to standard output, first while that takes nothing more, then when it does again.
import { createLogger } from '../../lib/logger.ts';
import { liftFileSizeLimit } from './file-size-limit.ts';

const logger = createLogger('test', { logLevel: 'info', logFormat: process.argv[2] === 'pretty' ? 'pretty' : 'json' });
for (let line = 0; line < 100; line += 1) logger.info({ line }, 'many');
logger.fatal('the worst');
liftFileSizeLimit(process.pid);
logger.info('the end');
