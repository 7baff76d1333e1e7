import { hash } from 'node:crypto';

/** Bytes that are kept of an id, of the 16 that ingest gives: enough that no two share them. */
export const idBytes = 13;
const hexDigits = 32;

const nibbles = new Int8Array(128).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) nibbles[digit.charCodeAt(0)] = value;

/** Writes what is kept of `id`: ids of ingest are hexadecimal, any other text has its hash. */
export function writeId(id: string, into: Uint8Array): void {
  if (!writeDigits(id, into)) into.set(hash('sha256', id, 'buffer').subarray(0, idBytes));
}

/** False for a text that is not hexadecimal as ingest writes it. */
function writeDigits(id: string, into: Uint8Array): boolean {
  if (id.length !== hexDigits) return false;
  for (let index = 0; index < hexDigits / 2; index += 1) {
    const high = nibbles[id.charCodeAt(2 * index)] ?? -1;
    const low = nibbles[id.charCodeAt(2 * index + 1)] ?? -1;
    if (high < 0 || low < 0) return false;
    if (index < idBytes) into[index] = (high << 4) | low;
  }
  return true;
}

/** The 32 bits of an id from byte `at` on, unsigned. */
export function bitsAt(ids: Uint8Array, at: number): number {
  const bytes = ids as Readonly<Record<number, number>>;
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** Whether `ids` has `id` at `at`. */
export function isIdAt(ids: Uint8Array, at: number, id: Uint8Array): boolean {
  for (let index = 0; index < idBytes; index += 1) if (ids[at + index] !== id[index]) return false;
  return true;
}
