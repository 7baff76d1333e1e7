import { family } from '../family.ts';
import { integer, text } from '../fields.ts';

/**
 * Alarms for those who run an app.
 *
 * @see https://trtc.io/document/34355
 */
export const operations = family('OperationEvent', 'operation', [], {
  serviceName: text('ServiceName'),
  restCommand: text('Command'),
  request: integer('Request'),
  limit: integer('Limit'),
  quotaUsed: integer('QuotaUsed'),
  quota: integer('Quota'),
});
