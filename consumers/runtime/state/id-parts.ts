import { hash } from 'node:crypto';

/** Hexadecimal digits that are kept of an id. */
export const idDigits = 26;

/** An id as two numbers of 52 bits each, which is as much as a number holds exactly in one piece. */
export interface IdParts {
  readonly high: number;
  readonly low: number;
}

/** Digits of an id: ids of ingest are hexadecimal, any other text has its hash. */
export function digitsOf(id: string): string {
  return (/^[0-9a-f]{32}$/.test(id) ? id : hash('sha256', id)).slice(0, idDigits);
}

export function partsOf(digits: string): IdParts {
  return {
    high: Number.parseInt(digits.slice(0, idDigits / 2), 16),
    low: Number.parseInt(digits.slice(idDigits / 2), 16),
  };
}

/** Parts of ids whose digits stand one after the other in `bytes`. */
export function* partsIn(bytes: Uint8Array): Generator<IdParts> {
  const digits = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  for (let at = 0; at < digits.length; at += idDigits) yield partsOf(digits.slice(at, at + idDigits));
}
