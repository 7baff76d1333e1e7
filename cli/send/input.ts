import { createReadStream } from 'node:fs';
import { messageOf, UserError } from '../../lib/errors.ts';

/** The text of a file as it is read, "-" for standard input. @throws {UserError} when it cannot be read. */
export async function* textOfFile(file: string): AsyncGenerator<string> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  stream.setEncoding('utf8');
  try {
    for await (const piece of stream) yield piece as string;
  } catch (error) {
    throw new UserError(`Cannot read ${file === '-' ? 'standard input' : file}: ${messageOf(error)}`);
  }
}
