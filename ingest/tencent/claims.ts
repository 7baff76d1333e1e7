import { commandOf } from './commands.ts';
import type { Failure } from './dead-letter.ts';
import { isExactNumber, type JsonObject, nameOfType } from './json.ts';

/** The command of a callback: the query's, else the body's; both must agree where both say one. */
export function commandIn(fromQuery: string | undefined, body: JsonObject): { readonly command: string } | Failure {
  const fromBody = body['CallbackCommand'] ?? '';
  const fieldPath = '/CallbackCommand';
  if (typeof fromBody !== 'string') {
    return { reason: 'FIELD_INVALID', fieldPath, detail: `${fieldPath} is ${nameOfType(fromBody)}, expected a string` };
  }
  const command = fromQuery ?? fromBody;
  if (command === '') {
    const detail = 'No command, expected CallbackCommand in the query or in the body';
    return { reason: 'COMMAND_MISSING', fieldPath: null, detail };
  }
  if (fromBody !== '' && fromBody !== command) {
    const detail = `The query's CallbackCommand is ${JSON.stringify(command)} and the body's is another, expected the same`;
    return { reason: 'COMMAND_MISMATCH', fieldPath, detail };
  }
  return { command };
}

/** The command of a batch item: its own, which must be one that comes in batches, else the batch's. */
export function itemCommand(ofBatch: string, item: JsonObject, path: string): { readonly command: string } | Failure {
  const inItem = item['CallbackCommand'] ?? '';
  const fieldPath = `${path}/CallbackCommand`;
  if (typeof inItem !== 'string') {
    return { reason: 'FIELD_INVALID', fieldPath, detail: `${fieldPath} is ${nameOfType(inItem)}, expected a string` };
  }
  if (inItem === '' || inItem === ofBatch) return { command: ofBatch };
  if (commandOf(inItem).batch !== undefined) return { command: inItem };
  const detail = `${fieldPath} is no command that comes in batches, expected ${JSON.stringify(ofBatch)}`;
  return { reason: 'COMMAND_MISMATCH', fieldPath, detail };
}

/** A body's SdkAppId that is not the query's; `path` is where the body stands in the request. */
export function appMismatch(sdkAppId: number, body: JsonObject, path: string): Failure | undefined {
  const inBody = body['SdkAppId'];
  if (inBody === undefined || inBody === null) return undefined;
  const fieldPath = `${path}/SdkAppId`;
  if (typeof inBody !== 'number' && typeof inBody !== 'string' && !isExactNumber(inBody)) {
    return { reason: 'FIELD_INVALID', fieldPath, detail: `${fieldPath} is ${nameOfType(inBody)}, expected an integer` };
  }
  if (!isExactNumber(inBody) && String(inBody) === String(sdkAppId)) return undefined;
  return { reason: 'APP_MISMATCH', fieldPath, detail: `${fieldPath} is not ${sdkAppId}, the query's SdkAppid` };
}
