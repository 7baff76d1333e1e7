import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, UserError } from '../lib/errors.ts';

/** Makes a folder and those above it that are missing, for its owner alone. */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  // One by one: where the file system refuses (as in /proc), Node's own `recursive` tries for ever.
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(path)) throw error;
  }
}

/**
 * Makes the folder IMWATCH_HOME where it is missing.
 *
 * @throws {UserError} when it cannot be used.
 */
export function prepareHome(home: string): void {
  try {
    makeFolder(home);
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UserError(
      `IMWATCH_HOME ${home} cannot be used, expected a folder that we may write: ${messageOf(error)}`,
    );
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
