import { crc32 } from 'node:zlib';

/** A record as the spool keeps it: what it takes to make the record for Kafka later, whatever ids and partitions are then. */
export interface SpooledRecord {
  /** Id of its topic, for example `verdict`. */
  readonly topic: string;
  /** Fingerprint of the schema that `body` was written with. */
  readonly fingerprint: Buffer;
  readonly key: Buffer;
  /** The value as Avro, without the header of the wire format. */
  readonly body: Buffer;
  /** Time of the record, in epoch milliseconds. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes of an MD5, which avsc's fingerprints are. */
export const fingerprintBytes = 16;

/** Length and CRC-32 of what follows, each 4 bytes big-endian. */
const frameHeaderBytes = 8;

/** No record is larger, so a larger length is damage. */
const maxPayloadBytes = 16 * 1024 * 1024;

/** A record as bytes that say themselves whether they are whole. */
export function encodeFrame({ topic, fingerprint, key, body, timestampMs, headers }: SpooledRecord): Buffer {
  const fixed = Buffer.alloc(8);
  fixed.writeDoubleBE(timestampMs);
  const payload = Buffer.concat([
    fixed,
    fingerprint,
    lengthPrefixed(Buffer.from(topic)),
    lengthPrefixed(key),
    lengthPrefixed(Buffer.from(JSON.stringify(headers))),
    body,
  ]);
  const head = Buffer.alloc(frameHeaderBytes);
  head.writeUInt32BE(payload.length, 0);
  head.writeUInt32BE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

/** The record of the frame at `offset` and where the next one begins; `undefined` when what stands there is no whole frame. */
export function decodeFrame(
  bytes: Buffer,
  offset: number,
): { readonly record: SpooledRecord; readonly end: number } | undefined {
  if (offset + frameHeaderBytes > bytes.length) return undefined;
  const length = bytes.readUInt32BE(offset);
  const begin = offset + frameHeaderBytes;
  const end = begin + length;
  if (length === 0 || length > maxPayloadBytes || end > bytes.length) return undefined;
  const payload = bytes.subarray(begin, end);
  if (crc32(payload) !== bytes.readUInt32BE(offset + 4)) return undefined;
  return { record: decodePayload(payload), end };
}

function decodePayload(payload: Buffer): SpooledRecord {
  let at = 8 + fingerprintBytes;
  const next = (): Buffer => {
    const length = payload.readUInt32BE(at);
    const part = payload.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return part;
  };
  const topic = next().toString();
  const key = next();
  const headers = JSON.parse(next().toString()) as Record<string, string>;
  return {
    topic,
    fingerprint: payload.subarray(8, 8 + fingerprintBytes),
    key,
    headers,
    body: payload.subarray(at),
    timestampMs: payload.readDoubleBE(0),
  };
}

function lengthPrefixed(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return Buffer.concat([length, part]);
}
