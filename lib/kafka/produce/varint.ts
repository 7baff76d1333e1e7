/** Bytes that `value`, a signed integer, takes as a zigzag variable-length integer. */
export function varintBytes(value: number): number {
  if (isSmall(value)) {
    const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
    if (zigzag < 0x80) return 1;
    if (zigzag < 0x4000) return 2;
    if (zigzag < 0x20_0000) return 3;
    return zigzag < 0x1000_0000 ? 4 : 5;
  }
  let rest = zigzagOf(value);
  let bytes = 1;
  for (; rest >= 0x80n; rest >>= 7n) bytes += 1;
  return bytes;
}

/** Writes `value` at `at` as a zigzag variable-length integer, and returns where it ends. */
export function writeVarint(target: Buffer, value: number, at: number): number {
  let end = at;
  if (isSmall(value)) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest >= 0x80; rest >>>= 7) target[end++] = (rest & 0x7f) | 0x80;
    target[end++] = rest;
    return end;
  }
  let rest = zigzagOf(value);
  for (; rest >= 0x80n; rest >>= 7n) target[end++] = Number(rest & 0x7fn) | 0x80;
  target[end++] = Number(rest);
  return end;
}

/** Bytes that `value`, not negative, takes as an unsigned variable-length integer. */
export function unsignedVarintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) bytes += 1;
  return bytes;
}

/** Writes `value`, from 0 to 2^32 - 1, at `at`, and returns where it ends. */
export function writeUnsignedVarint(target: Buffer, value: number, at: number): number {
  let end = at;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) target[end++] = (rest & 0x7f) | 0x80;
  target[end++] = rest;
  return end;
}

function isSmall(value: number): boolean {
  return (value | 0) === value;
}

function zigzagOf(value: number): bigint {
  const wide = BigInt(value);
  return BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
}
