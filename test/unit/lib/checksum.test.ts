import { expect, it } from 'vitest';
import { checksumOf } from '../../../lib/kafka/checksum.ts';

it('is the CRC-32C of the bytes and of no others (check value of the CRC catalogue)', () => {
  const bytes = Buffer.from('before 123456789 behind');
  expect(checksumOf(bytes.subarray(7, 16))).toBe(0xe3069283);
});
